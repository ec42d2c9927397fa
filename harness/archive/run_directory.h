#pragma once
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/result.h"
#include "history/history.h"
#include "history/wire_log.h"
#include "report/run_result.h"

namespace mailproof::archive {

/// The directory of a run: histories as they grow, then everything else. What an earlier run left in it is replaced.
class RunDirectory {
 public:
  /// Makes it and proves that it can be written: a full disk or a missing right is known before anything is played.
  /// `path` empty: a new one below runs/, named after the time. One that holds what a run would replace and no run has
  /// written is refused, and nothing of it is touched; so is one that another run is writing into, and one with word of
  /// what a run that was killed left changed at its server.
  static Result<std::unique_ptr<RunDirectory>> make(const std::string& path);

  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Keeps a scenario's history on disk while it grows: history/<slot>.jsonl. After a write that failed nothing more is
  /// written: what would follow the gap, where there is room again, would look like a history.
  class Stream {
   public:
    Stream(std::string path, const history::History& history, const RunDirectory& directory);
    ~Stream();
    void flush();
    const std::string& trouble() const { return trouble_; }  ///< which file and why; "" = all was written
    /// All of it is written: what comes later of a run that is killed does not make this one doubtful.
    void end(Duration took);

   private:
    void write_new(const history::Event& event);
    void close();
    void failed();
    std::string path_;
    const history::History& history_;
    const RunDirectory& directory_;
    std::FILE* file_;
    std::string trouble_;
    std::string buffer_;
    std::size_t accounts_ = 0, devices_ = 0, sessions_ = 0, messages_ = 0;
    bool info_ = false;
    Time flushed_{};
    friend class RunDirectory;
  };
  std::unique_ptr<Stream> stream(std::size_t slot, history::History& history) const;

  /// Byte logs of one scenario: wire/<slot>-<id>/<session>.log, and where in them an event's bytes are (places.json).
  void write_wire(std::size_t slot, const std::string& id, const history::History& history,
                  const std::vector<std::unique_ptr<history::WireLog>>& logs) const;
  /// One of them, by the number of its session; what was written of it before is replaced.
  void write_wire_of(std::size_t slot, const std::string& id, const history::History& history, std::size_t session,
                     const history::WireLog& log) const;
  /// Keeps the text of a scenario that did not pass, so that it can be shrunk where its file is another by then:
  /// scenarios/<id>.kept, which no folder of scenarios and no pytest takes for one. Nothing where `file` is no scenario
  /// file on disk.
  void keep_scenario(const std::string& id, const std::string& file) const;
  /// Says in history.jsonl how many histories there will be, or that not all are kept. What went wrong, or "".
  std::string begin(std::optional<std::size_t> histories) const;
  /// Joins the histories in slot order into history.jsonl; the line that a failed write tore is left out. `histories`:
  /// how many there should be.
  void join_histories(std::optional<std::size_t> histories) const;
  /// The first write that failed, file and reason; "" = none did. Such a run says nothing about a server. Any thread.
  std::string trouble() const;
  void failed(const std::string& why) const;
  /// run.json, findings.json, junit.xml, summary.md, report.html. What could not be written, or "".
  std::string write_reports(const report::RunResult& run) const;

 private:
  RunDirectory(std::string path, int claim) : path_(std::move(path)), claim_(claim) {}
  std::string path_;
  int claim_;  ///< holds the lock on the directory
  mutable std::mutex mutex_;
  mutable std::string trouble_;
};

/// What is to be set back at the target (host/owed.h), as long as something is.
inline constexpr const char* kOwedFile = "owed.txt";

/// Where keep_scenario() puts it.
std::string kept_scenario(const std::string& directory, const std::string& id);

/// Octets of a run.json that is read again.
inline constexpr std::size_t kMostRunJson = 256U << 20;

/// Writes a whole file; what went wrong, or "".
std::string write_file(const std::string& path, const std::string& text);

/// What a run says that could not write its files: `what` names the first and why.
std::string not_written(const std::string& what);

}  // namespace mailproof::archive
