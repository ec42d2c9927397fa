#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "play/devices/actor.h"
#include "play/devices/login.h"
#include "play/recorded/pop3.h"

namespace mailproof::play {

/// A computer that collects its mail over POP3.
class Pop3Device final : public Actor, public Alarm {
 public:
  Pop3Device(Context& context, const scenario::Device& device, std::uint32_t number)
      : context_(context), device_(device), number_(number), account_(static_cast<std::uint32_t>(device.account + 1)) {}

  ~Pop3Device() override { context_.network.set_alarm(*this, std::nullopt); }
  void prepare(Finish done) override { done(); }
  void ring(Time) override {
    if (const auto then = std::exchange(alarm_, {})) then();
  }
  void perform(const scenario::Step& step, Finish done) override;
  void leave(Finish done) override {
    if (session_ != nullptr) session_->drop(false);
    done();
  }

 private:
  static constexpr Duration kLookEvery = std::chrono::seconds(1);
  using Then = std::function<void(bool ok)>;
  /// One download: the numbers still to fetch, and what was got.
  struct Job {
    std::vector<std::uint32_t> todo;
    std::vector<std::uint32_t> got;
    std::vector<std::uint32_t> refused;  ///< ours, listed in this session, and RETR was answered -ERR
    std::string not_now;                 ///< what was answered to one that could not be had at the moment
    std::set<std::uint32_t> wanted;
    bool only_wanted = false;
    scenario::AfterDownload after;
  };

  RecordedPop3& begin_session(const Endpoint& endpoint, const std::string& mechanism = "");
  void connect(const scenario::Connect& connect, const std::string& text, Finish done);
  void connect_by(const std::string& mechanism, const scenario::Connect& connect,
                  const std::shared_ptr<Welcome>& welcome, Finish done);
  bool offers_plain() const;
  /// `see`: what is looked for, until when.
  struct Look {
    std::vector<std::uint32_t> wanted;
    std::uint32_t expectation = 0;
    Time since;
    Duration bound;  ///< the scenario's
    Time deadline;   ///< earlier where the run has learnt that nothing will come
    Duration stays;  ///< for so long it must stay
    Finish done;
    std::optional<Time> stays_until = {};  ///< all are there, and must be then
    Time end() const { return stays_until.value_or(deadline); }
  };

  void connected(Then then);
  void not_let_in(const std::string& why);
  bool not_free_yet() const;
  void later(Finish then);                   ///< in a second
  bool had_it(std::uint32_t session) const;  ///< that session was let in
  Time today() const { return context_.network.now() + calendar_; }
  void listed(Then then);  ///< STAT, LIST, UIDL of a session that has not done so yet
  void download(const scenario::Download& download, const std::string& text, Finish done);
  void download_all(const std::shared_ptr<Job>& job, Finish done);
  void fetch_body(const std::shared_ptr<Job>& job, std::uint32_t number, Finish done);
  void note_undone(const std::vector<std::uint32_t>& got);
  void note_not_now(std::uint32_t message, std::string_view command, const Completion& result);
  bool announces(std::string_view capability) const;  ///< in so many words; without CAPA it announces nothing
  bool without_unique_ids() const;                    ///< there are messages, and the server gave none
  void note_not_marked(std::uint32_t message, const Completion& result);
  std::size_t unseen(const std::vector<std::uint32_t>& numbers) const;
  std::string left_alone(std::size_t some, std::size_t of) const;
  void finished(const std::string& as, std::uint32_t expectation, const Job& job);
  void see(const Look& look);
  void look_for(const Look& look);
  void look_later(const Look& look);
  void seen(const Look& look, history::Type how, const std::string& why, const std::string& code = "");
  std::vector<std::uint32_t> not_there(const std::vector<std::uint32_t>& wanted);
  void remove(const scenario::MessageRef& messages, Finish done);
  void dele_all(std::vector<std::uint32_t> numbers, Finish done);
  void quit(const scenario::Cut& cut, Finish done);
  void note_cut_short(std::vector<std::uint32_t> wanted);

  Context& context_;
  const scenario::Device& device_;
  std::uint32_t number_, account_;
  std::vector<std::unique_ptr<RecordedPop3>> sessions_;
  RecordedPop3* session_ = nullptr;
  bool listed_ = false;
  std::vector<std::uint32_t> marked_;  ///< messages that this session's DELE was sent for, and no QUIT or RSET answered
  std::vector<std::unique_ptr<Smuggle>> smuggles_;
  std::function<void()> alarm_;
  Duration calendar_{};  ///< by how much the client's own calendar is ahead of the run's time
  /// UIDL -> when it was first downloaded, by that calendar: what the client remembers between sessions.
  std::map<std::string, Time> downloaded_;
};

}  // namespace mailproof::play
