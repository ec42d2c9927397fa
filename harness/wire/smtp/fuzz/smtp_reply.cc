#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/smtp/command.h"
#include "wire/smtp/extensions.h"
#include "wire/smtp/reply.h"

namespace {

using namespace mailproof;

std::string tell(std::string_view bytes, std::size_t step) {
  smtp::ReplyReader reader;
  smtp::Extensions extensions;
  std::string told;
  while (!bytes.empty()) {
    std::string_view in = bytes.substr(0, step);
    bytes.remove_prefix(in.size());
    while (const smtp::Reply* reply = reader.next(in)) {
      told += reply->summary();
      extensions.read(*reply);
      (void)extensions.auth();
    }
    if (!in.empty()) __builtin_trap();
  }
  told += reader.garbage();
  for (const auto& d : reader.deviations().all()) told += std::string(d.code) + std::to_string(d.count);
  return told;
}

/// What is accepted as MAIL must be written and read back the same.
void round_trip(std::string_view arguments) {
  const auto mail = smtp::parse_mail_from(arguments);
  if (!mail) return;
  const std::string line = smtp::mail_command(*mail);
  const auto again = smtp::parse_mail_from(std::string_view(line).substr(5));
  if (!again || again->path != mail->path || again->envid != mail->envid || again->size != mail->size) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (tell(bytes, size) != tell(bytes, 1 + data[0] % 16U)) __builtin_trap();
  round_trip(bytes);
  (void)smtp::parse_rcpt_to(bytes);
  return 0;
}
