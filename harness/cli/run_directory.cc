#include "cli/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "history/jsonl.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"

namespace mailproof::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kProbe = 1U << 20;   // room for at least this much is asked for before a run
constexpr std::size_t kFlush = 64U << 10;  // a killed run loses at most this much, or a second
std::string part(const std::string& path, std::size_t slot) {
  return fmt::format("{}/history/{:06}.jsonl", path, slot);
}

/// Claims a megabyte and gives it back. The reason why that failed, or "".
std::string probe(const std::string& directory) {
  const std::string path = directory + "/.probe";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
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

}  // namespace

Result<std::unique_ptr<RunDirectory>> RunDirectory::make(const std::string& wanted) {
  std::string path = wanted;
  if (path.empty()) {
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    path = fmt::format("runs/{:%Y%m%d-%H%M%S}", fmt::gmtime(now));
    const std::string base = path;
    for (int n = 2; fs::exists(path); ++n) path = fmt::format("{}-{}", base, n);
  }
  std::error_code error;
  fs::create_directories(path + "/history", error);
  if (error) return Error{path, "cannot make the run directory: " + error.message()};
  if (const std::string why = probe(path); !why.empty())
    return Error{path, "cannot write to the run directory: " + why};
  for (const char* old : {"history", "wire"}) fs::remove_all(path + "/" + old, error);
  for (const char* old :
       {"history.jsonl", "run.json", "findings.json", "stats.json", "junit.xml", "summary.md", "report.html"})
    fs::remove(path + "/" + old, error);
  fs::create_directories(path + "/history", error);
  return std::unique_ptr<RunDirectory>(new RunDirectory(std::move(path)));
}

RunDirectory::Stream::Stream(const std::string& path, const history::History& history)
    : history_(history), file_(std::fopen(path.c_str(), "w")) {}

RunDirectory::Stream::~Stream() {
  flush();
  if (file_ != nullptr) std::fclose(file_);
}

void RunDirectory::Stream::write_new(const history::Event& event) {
  const auto line = [&](auto&& write) {
    write();
    buffer_ += '\n';
  };
  if (!std::exchange(info_, true)) line([&] { write_info(history_.info, buffer_); });
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

void RunDirectory::Stream::flush() {
  if (file_ != nullptr && !buffer_.empty()) {
    std::fwrite(buffer_.data(), 1, buffer_.size(), file_);
    std::fflush(file_);
  }
  buffer_.clear();
}

std::unique_ptr<RunDirectory::Stream> RunDirectory::stream(std::size_t slot, history::History& history) const {
  auto out = std::make_unique<Stream>(part(path_, slot), history);
  history.listen([stream = out.get()](const history::Event& event) { stream->write_new(event); });
  return out;
}

void RunDirectory::write_wire(std::size_t slot, const std::string& id, const history::History& history,
                              const std::vector<std::unique_ptr<history::WireLog>>& logs) const {
  const std::string directory = fmt::format("{}/wire/{:06}-{}", path_, slot, id);
  std::error_code error;
  fs::create_directories(directory, error);
  for (std::size_t i = 0; i < logs.size() && i < history.sessions().size(); ++i) {
    const auto& session = history.sessions()[i];
    write_file(fmt::format("{}/{:03}-{}-{}.log", directory, i + 1, session.label, name(session.protocol)),
               logs[i]->all());
  }
}

void RunDirectory::join_histories() const {
  std::error_code error;
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(path_ + "/history", error)) parts.push_back(entry.path().string());
  std::sort(parts.begin(), parts.end());
  std::ofstream out(file("history.jsonl"), std::ios::binary);
  for (const auto& one : parts)
    if (fs::file_size(one, error) != 0) out << std::ifstream(one, std::ios::binary).rdbuf();
  if (out.flush()) fs::remove_all(path_ + "/history", error);
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

}  // namespace mailproof::cli
