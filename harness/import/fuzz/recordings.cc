#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "import/read/overheard.h"

using namespace mailproof::imports;

/// Any bytes are a recording of any form, or an error with its place; what was read can be listened to. The first byte
/// says which form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto read = [&]() -> mailproof::Result<std::vector<Overheard>> {
    switch (data[0] % 10) {
      case 0:
        return read_dovecot_rawlog("fuzz", text.substr(0, text.size() / 2), text.substr(text.size() / 2));
      case 1:
        return read_imaptest_rawlog("fuzz", text);
      case 2:
        return read_cyrus_telemetry("fuzz", text);
      case 3:
        return read_curl_trace("fuzz", text);
      case 4:
        is_thunderbird_log(text);
        return read_thunderbird_log("fuzz", text);
      case 5:
        is_mailkit_log(text);
        return read_mailkit_log("fuzz", text);
      case 6:
        is_javamail_log(text);
        return read_javamail_log("fuzz", text);
      case 7:
        is_popstate(text);
        return read_popstate("fuzz", text);
      default:
        is_server_log(text);
        return read_server_log("fuzz", text, std::chrono::seconds(1'795'961'161));
    }
  }();
  if (!read) {
    if (read.error().why.empty()) std::abort();
    return 0;
  }
  Recording recording({}, 4096);
  replay(*read, recording);
  return 0;
}
