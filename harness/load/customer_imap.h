#pragma once
#include "load/customer.h"
#include "play/ownership.h"
#include "session/imap/client.h"

namespace mailproof::load {

/// What is fetched to see whose a message is.
inline constexpr std::string_view kLook = "(UID BODY.PEEK[HEADER.FIELDS (X-MAILPROOF MESSAGE-ID SUBJECT)])";

/// A customer's IMAP client.
class ImapCustomer final : public Customer, public session::ImapSink {
 public:
  ImapCustomer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
               std::uint64_t seed);
  ~ImapCustomer() override;

  void come(Time due) override;
  void leave(Time now) override;
  void save(std::size_t parcel, Time now) override;
  bool owes() const override;

  // session::ImapSink
  void on_greeting(std::string_view text, Time now) override;
  void on_capabilities(std::span<const std::string> all, session::Stage stage, Time now) override;
  void on_ready(Time now) override;
  void on_done(const session::ImapCompletion& done, Time now) override;
  void on_exists(std::uint32_t n, std::uint32_t before, Time now) override;
  void on_expunge(std::uint32_t seq, std::uint32_t uid, Time now) override;
  void on_search(const imap::SequenceSet& numbers, Time now) override;
  void on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time now) override;
  void on_content(std::string_view chunk) override;
  void on_content_end() override;
  void on_fetch(const session::ImapFetchRow& row, Time now) override;
  void on_ended(const session::Ended& end, Time now) override;

 private:
  /// A message as this device knows it.
  struct Known {
    std::uint32_t uid = 0;
    std::uint32_t parcel = 0;  ///< index + 1; 0 = not one of this run
    bool got_text = false;
    bool marked = false;  ///< by us, for removal, and the server said OK
  };
  /// What the owner will do with a message.
  struct Action {
    Time at{};
    std::uint32_t uid = 0;
    bool remove = false;
  };
  /// The server said that there are so many messages now.
  struct Notice {
    std::uint32_t up_to = 0;
    Time at{};
    bool idling = false;
  };
  /// What is under way beyond single steps.
  enum class Doing : std::uint8_t {
    nothing,
    login,
    news,
    poll,
    looking,  ///< at the header of what will be read or removed
    reading,
    removing,
    saving,
    keeping,
    leaving,
    goodbye
  };
  enum class Stage : std::uint8_t { first, second, third };  ///< of a removal, or of a fetch that looks first

  void wake(Time now) override;
  void connect(Time intended);
  void proceed(Time now);
  void begin(Doing doing, const std::vector<scenario::ProfileStep>* steps, Time intended);
  bool next_step(Time now);
  bool perform(const scenario::ProfileStep& step);
  bool fetch(const scenario::ProfileStep& step);
  bool store(const scenario::ProfileStep& step);
  bool close();
  void all_asked();
  bool remove_one();
  bool save_one();
  void saved(const session::ImapCompletion& done, Time now);
  void end_of(Time now);
  std::string newest(std::uint32_t count) const;
  bool came_or_went() const;
  bool opens_to_look() const;
  bool choose(Time now);
  void act(const Action& action, Time intended);
  void count_missed_clicks(Time now);
  void opened(const session::ImapCompletion& done);
  void asked(session::CommandId id, stats::Operations::Id operation);
  void finish(const session::ImapCompletion& done, Time now);
  void removal_went(const session::ImapCompletion& done);
  void plan_for(std::uint32_t uid, Time now);
  void hear_of_news(Time now);
  Known* find(std::uint32_t uid);
  Known* learn(std::uint32_t uid);
  bool view_fits();
  bool may_expunge() const;
  void hang_up();
  void closed();
  bool may_read(std::uint32_t uid) const;
  const std::string& set_of(scenario::Of of, bool first_only = false);
  void arm_next();
  bool listens() const;
  Time quiet_since() const;
  bool logged_out(const session::Ended& end, Time now) const;
  std::optional<Time> told_of(std::uint32_t seq) const;

  bool connected() const override { return client_ != nullptr; }
  void forget_session() override {
    client_.reset();
    scene_.sparse_views -= std::exchange(sparse_, 0);
  }

  std::unique_ptr<session::ImapClient> client_;
  play::ImapGuard guard_;
  std::unique_ptr<mail::ContentScanner> scanner_;
  std::vector<Known> known_;          ///< by uid, ascending
  std::vector<Action> actions_;       ///< the next one last
  std::vector<std::size_t> to_save_;  ///< parcels
  std::size_t saving_ = 0;
  Action looking_;          ///< what a look decides on
  std::string selected_;    ///< the mailbox that known_ is of
  std::size_t moved_ = 0;   ///< of known_, to make room between
  std::size_t sparse_ = 0;  ///< part of Scene::sparse_views
  std::string set_;         ///< kept for its memory
  std::string found_;       ///< by the search that is under way
  const std::vector<scenario::ProfileStep>* steps_ = nullptr;
  std::size_t step_ = 0;
  std::uint32_t uidvalidity_ = 0, described_ = 0, fresh_from_ = 0, one_ = 0, newest_from_ = 0;
  std::uint32_t looked_uidnext_ = 0, looked_exists_ = 0;  ///< as it was when its news were looked at last
  std::optional<Time> reconnect_, idle_until_;
  Time news_since_{};
  std::vector<Notice> notices_;
  Doing doing_ = Doing::nothing;
  Stage stage_ = Stage::first;
  bool news_ = false, logged_in_ = false, polling_ = false;
  bool changed_ = false, told_ = false, left_ = false, acted_ = false, hanging_up_ = false;
};

}  // namespace mailproof::load
