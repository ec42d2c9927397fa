#include "archive/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "archive/asked.h"
#include "archive/jsonl.h"
#include "archive/wire_places.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"

namespace mailproof::archive {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kProbe = 1U << 20;   // room for at least this much is asked for before a run
constexpr std::size_t kFlush = 64U << 10;  // a killed run loses at most this much, or a second

std::string head(std::optional<std::size_t> histories) {
  std::string out;
  write_run(histories, out);
  return out + "\n";
}

std::string part(const std::string& path, std::size_t slot) {
  return fmt::format("{}/history/{:06}.jsonl", path, slot);
}

/// All that a run leaves in its directory: what the next one there takes away.
constexpr std::array kOurs{"history",     "wire",        "scenarios",     "history.jsonl", kAskedFile,
                           kBaselineFile, "run.json",    "stats.json",    "junit.xml",     "findings.json",
                           "summary.md",  "report.html", "capacity.json", "steps"};

bool begins(const fs::path& file, std::string_view with) {
  std::string text(with.size(), '\0');
  std::ifstream(file, std::ios::binary).read(text.data(), static_cast<std::streamsize>(text.size()));
  return text == with;
}

/// By the first bytes of what only a run writes. A run that was killed has but the parts of its history.
bool is_a_runs(const fs::path& directory) {
  constexpr std::string_view kHistory = R"({"history":{)";
  if (begins(directory / "history.jsonl", R"({"run":{)") || begins(directory / "history.jsonl", kHistory)) return true;
  for (const char* file : {"run.json", "stats.json"})
    if (begins(directory / file, "{\n  \"verdict\": \"")) return true;
  std::error_code error;
  const fs::directory_iterator parts(directory / "history", error), none;
  return std::any_of(begin(parts), end(none), [&](const auto& part) { return begins(part.path(), kHistory); });
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What would be taken away that no run has written; "" = nothing.
std::string in_the_way(const fs::path& directory) {
  std::error_code error;
  for (const char* name : kOurs) {
    const fs::path path = directory / name;
    const bool empty = fs::is_directory(path, error) && fs::is_empty(path, error);
    if (fs::exists(fs::symlink_status(path, error)) && !empty && !is_a_runs(directory)) return name;
  }
  return {};
}

/// Claims a megabyte and gives it back. The reason why that failed, or "".
std::string probe(const std::string& directory) {
  std::string path = directory + "/.mailproof-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return std::strerror(errno);
  const std::string block(kProbe, '\0');
  std::string why;
  for (std::size_t written = 0; written < block.size() && why.empty();) {
    // A disk that is almost full takes a part of it; the next attempt says why not more.
    const ssize_t n = ::write(fd, block.data() + written, block.size() - written);
    if (n <= 0)
      why = std::strerror(errno);
    else
      written += static_cast<std::size_t>(n);
  }
  if (why.empty() && ::fsync(fd) != 0) why = std::strerror(errno);
  ::close(fd);
  ::unlink(path.c_str());
  return why;
}

/// Two runs that write into one directory would each take away what the other has written. A file system that knows no
/// locks lets them.
struct Claim {
  int fd = -1;
  bool taken = false;  ///< another run has it
};
Claim claim(const std::string& directory) {
  Claim out;
  out.fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (out.fd >= 0 && ::flock(out.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(out.fd);
    out = {-1, true};
  }
  return out;
}

}  // namespace

RunDirectory::~RunDirectory() {
  if (claim_ >= 0) ::close(claim_);
}

Result<std::unique_ptr<RunDirectory>> RunDirectory::make(const std::string& wanted) {
  std::string path = wanted;
  if (path.empty()) {
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    std::error_code error;
    fs::create_directories("runs", error);
    path = fmt::format("runs/{:%Y%m%d-%H%M%S}", fmt::gmtime(now));
    const std::string base = path;
    // Whoever makes it has it, also of two that begin in the same second.
    for (int n = 2; !error && !fs::create_directory(path, error) && !error; ++n) path = fmt::format("{}-{}", base, n);
    if (error)
      return Error{path, fmt::format("cannot make the run directory: {}; --out says where else", error.message())};
  }
  if (const std::string name = in_the_way(path); !name.empty())
    return Error{path,
                 fmt::format("it holds '{}', which a run would take away, and no run of mailproof has written it; "
                             "give another --out, or clear this one",
                             name)};
  if (const std::string owed = content(path + "/" + kOwedFile); !owed.empty())
    return Error{path,
                 fmt::format("the run before left its server changed: see to it, and remove '{}' here, which says\n{}",
                             kOwedFile, owed)};
  std::error_code error;
  fs::create_directories(path + "/history", error);
  if (error) return Error{path, "cannot make the run directory: " + error.message()};
  const Claim ours = claim(path);
  if (ours.taken) return Error{path, "another run is writing into this directory; give another --out, or wait for it"};
  std::unique_ptr<RunDirectory> out(new RunDirectory(path, ours.fd));
  if (const std::string why = probe(path); !why.empty())
    return Error{path, "cannot write to the run directory: " + why};
  for (const char* old : kOurs) fs::remove_all(path + "/" + old, error);
  fs::create_directories(path + "/history", error);
  return out;
}

std::string RunDirectory::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void RunDirectory::failed(const std::string& why) const {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) trouble_ = why;
}

RunDirectory::Stream::Stream(std::string path, const history::History& history, const RunDirectory& directory)
    : path_(std::move(path)), history_(history), directory_(directory), file_(std::fopen(path_.c_str(), "we")) {
  if (file_ == nullptr) failed();
}

RunDirectory::Stream::~Stream() { close(); }

void RunDirectory::Stream::close() {
  flush();
  if (std::FILE* file = std::exchange(file_, nullptr); file != nullptr && std::fclose(file) != 0) failed();
}

void RunDirectory::Stream::failed() {
  trouble_ = fmt::format("{}: {}", path_, std::strerror(errno));
  directory_.failed(trouble_);
  if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
}

void RunDirectory::Stream::write_new(const history::Event& event) {
  const auto line = [&](auto&& write) {
    write();
    buffer_ += '\n';
  };
  const history::HistoryInfo& info = history_.info;
  if (!std::exchange(info_, true)) {
    line([&] { write_info(info, buffer_); });
    accounts_ = info.accounts.size();
    devices_ = info.devices.size();
  }
  for (; accounts_ < info.accounts.size(); ++accounts_) line([&] { write_account(info.accounts[accounts_], buffer_); });
  for (; devices_ < info.devices.size(); ++devices_) line([&] { write_device(info.devices[devices_], buffer_); });
  for (; sessions_ < history_.sessions().size(); ++sessions_)
    line([&] { write_session(history_.sessions()[sessions_], static_cast<std::uint32_t>(sessions_ + 1), buffer_); });
  for (; messages_ < history_.messages().size(); ++messages_)
    line([&] { write_message(history_.messages()[messages_], static_cast<std::uint32_t>(messages_ + 1), buffer_); });
  line([&] { write_event(event, buffer_); });
  if (buffer_.size() >= kFlush || event.at - flushed_ >= std::chrono::seconds(1)) {
    flush();
    flushed_ = event.at;
  }
}

void RunDirectory::Stream::end(Duration took) {
  write_end(history_, took, buffer_);
  buffer_ += '\n';
  close();
}

void RunDirectory::Stream::flush() {
  const bool written =
      file_ == nullptr || buffer_.empty() ||
      (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) == buffer_.size() && std::fflush(file_) == 0);
  if (!written) failed();
  buffer_.clear();
}

std::unique_ptr<RunDirectory::Stream> RunDirectory::stream(std::size_t slot, history::History& history) const {
  auto out = std::make_unique<Stream>(part(path_, slot), history, *this);
  history.listen([stream = out.get()](const history::Event& event) { stream->write_new(event); });
  return out;
}

namespace {

std::string log_name(const history::History& history, std::size_t number) {
  const auto& session = history.sessions().at(number - 1);
  return fmt::format("{:03}-{}-{}.log", number, session.label, name(session.protocol));
}

std::string wire_folder(const std::string& run, std::size_t slot, const std::string& id) {
  const std::string directory = fmt::format("{}/wire/{:06}-{}", run, slot, id);
  std::error_code error;
  fs::create_directories(directory, error);
  return directory;
}

}  // namespace

void RunDirectory::write_wire_of(std::size_t slot, const std::string& id, const history::History& history,
                                 std::size_t number, const history::WireLog& log) const {
  const std::string wrong = write_file(wire_folder(path_, slot, id) + "/" + log_name(history, number), log.all());
  if (!wrong.empty()) failed(wrong);
}

void RunDirectory::write_wire(std::size_t slot, const std::string& id, const history::History& history,
                              const std::vector<std::unique_ptr<history::WireLog>>& logs) const {
  const std::string directory = wire_folder(path_, slot, id);
  WirePlaces places;
  for (std::size_t i = 0; i < logs.size() && i < history.sessions().size(); ++i) {
    const std::string log = log_name(history, i + 1);
    auto printed = logs[i]->printed();
    const std::string wrong = write_file(directory + "/" + log, printed.text);
    if (!wrong.empty()) failed(wrong);
    places.add(log, std::move(printed.lines));
  }
  if (const std::string wrong = places.write(directory, history.info); !wrong.empty()) failed(wrong);
}

std::string kept_scenario(const std::string& directory, const std::string& id) {
  return fmt::format("{}/scenarios/{}.kept", directory, id);
}

void RunDirectory::keep_scenario(const std::string& id, const std::string& path) const {
  const fs::path from(path);
  std::error_code error, wrong;
  if ((from.extension() != ".yaml" && from.extension() != ".yml") || !fs::is_regular_file(from, error)) return;
  const fs::path to = kept_scenario(path_, id);
  {
    const std::lock_guard lock(mutex_);  // another copy of it may be at it
    fs::create_directories(path_ + "/scenarios", error);
    fs::copy_file(from, to, fs::copy_options::skip_existing, wrong);
  }
  if (wrong) failed(fmt::format("{}: {}", to.string(), wrong.message()));
}

std::string RunDirectory::begin(std::optional<std::size_t> histories) const {
  return write_file(file("history.jsonl"), head(histories));
}

void RunDirectory::join_histories(std::optional<std::size_t> histories) const {
  std::error_code error;
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(path_ + "/history", error)) parts.push_back(entry.path().string());
  std::sort(parts.begin(), parts.end());
  // Whoever kills us here leaves the head with the parts, or all of it.
  const std::string joined = file("history/joined");
  std::ofstream out(joined, std::ios::binary);
  out << head(histories);
  for (const auto& one : parts) {
    std::ifstream in(one, std::ios::binary);
    std::string line;
    while (std::getline(in, line) && !in.eof()) (out << line).put('\n');
    if (!in.eof()) return failed(fmt::format("{}: {}", one, std::strerror(errno)));
  }
  if (!out.flush()) return failed(fmt::format("{}: {}", joined, std::strerror(errno)));
  fs::rename(joined, file("history.jsonl"), error);
  if (error) return failed(fmt::format("{}: {}", joined, error.message()));
  fs::remove_all(path_ + "/history", error);
}

std::string RunDirectory::write_reports(const report::RunResult& run) const {
  const std::pair<const char*, std::string> reports[] = {{"run.json", report::run_json(run)},
                                                         {"findings.json", report::findings_json(run)},
                                                         {"junit.xml", report::junit_xml(run)},
                                                         {"summary.md", report::summary_markdown(run)},
                                                         {"report.html", report::report_html(run)}};
  for (const auto& [name, text] : reports)
    if (std::string wrong = write_file(file(name), text); !wrong.empty()) return wrong;
  return {};
}

std::string write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  return out ? std::string() : path + ": " + std::strerror(errno);
}

std::string not_written(const std::string& what) {
  return fmt::format("this run could not be written down, and says nothing about the server: {}", what);
}

}  // namespace mailproof::archive
