#include <algorithm>

#include "load/visits.h"
#include "session/pop3/client.h"

namespace mailproof::load {
namespace {

using session::Outcome;

class Pop3Visit final : public MailboxVisit, public session::Pop3Sink, public Alarm {
 public:
  Pop3Visit(Scene& scene, VisitWhat what) : scene_(scene), what_(what), guard_(false) {
    const scenario::PoolAccount& account = what.other != nullptr ? *what.other : scene.accounts[what.account];
    const Endpoint* endpoint = scene.endpoint(Protocol::pop3, std::nullopt);
    auto config = scene.client_config(*endpoint, &account, what.account);
    session_ = scene.note_session(what.account, kAuditor, Protocol::pop3);
    const Endpoint where = config.endpoint;
    client_ = std::make_unique<session::Pop3Client>(std::move(config), *this);
    link_ = scene.network.open(where, *client_);
  }
  ~Pop3Visit() override {
    scene_.network.set_alarm(*this, std::nullopt);
    link_.reset();
    if (!ended_) scene_.session_over(session_);
  }
  bool over() const override { return over_; }
  void ring(Time) override {
    if (on_over) on_over(found_);
    over_ = true;  // it may be destroyed from now on, and not from its own call
  }

  void on_ready(Time) override { client_->list(); }
  void on_stat(std::uint32_t, std::uint64_t, Time) override {}
  void on_list(std::uint32_t number, std::uint64_t, Time) override { numbers_.push_back(number); }
  void on_uidl(std::uint32_t, std::string_view, Time) override {}
  void on_content_begin(std::uint32_t number, bool, Time) override {
    reading_ = number;
    scanner_.begin();
  }
  void on_content(std::string_view chunk) override { scanner_.add(chunk); }
  void on_content_end(std::uint64_t, Time) override {
    using play::Whose;
    scanner_.end();
    ++found_.messages;
    const auto identity = play::identify(scene_.parcels, scanner_);
    guard_.saw(reading_, identity.whose == Whose::leftover && !what_.leftovers ? play::Identity{} : identity);
    const mail::Token* token = scanner_.token();
    if (identity.whose == Whose::ours) {
      const auto parcel = static_cast<std::uint32_t>(scene_.parcels.index(identity.message));
      if (what_.other == nullptr && scene_.parcels.at(parcel).account == what_.account)
        found_.parcels.push_back(parcel);
      else
        scene_.leaked(*token, what_.account, session_);
    } else if (identity.whose == Whose::leftover) {
      ++found_.leftovers;
    } else if (identity.whose != Whose::report) {
      ++found_.foreign;
    }
  }

  void on_done(const session::Pop3Completion& done, Time) override {
    if (quitting_) return;
    if (done.outcome != Outcome::ok) {
      found_.wrong = std::string(done.command) + " failed: " + std::string(done.text);
      quitting_ = true;
      client_->quit();
      return;
    }
    if (place_ < numbers_.size() && !cleaning_) {
      client_->top(numbers_[place_++], 0);
      return;
    }
    if (!cleaning_) {
      cleaning_ = true;
      place_ = 0;
      if (!may_clean || !may_clean(found_)) place_ = numbers_.size();
    }
    for (; place_ < numbers_.size(); ++place_)
      if (const auto owned = guard_.owned(numbers_[place_])) {
        ++place_;
        client_->dele(owned->number());
        return;
      }
    quitting_ = true;
    client_->quit();
  }

  void on_ended(const session::Ended& end, Time now) override {
    ended_ = true;
    scene_.session_over(session_);
    if (!end.clean && found_.wrong.empty()) found_.wrong = end.message();
    scene_.network.set_alarm(*this, now);
  }

 private:
  Scene& scene_;
  const VisitWhat what_;
  play::Pop3Guard guard_;
  mail::ContentScanner scanner_;
  std::unique_ptr<session::Pop3Client> client_;
  std::unique_ptr<Link> link_;
  std::vector<std::uint32_t> numbers_;
  std::size_t place_ = 0;
  Found found_;
  std::uint32_t session_ = 0, reading_ = 0;
  bool cleaning_ = false, quitting_ = false, ended_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<MailboxVisit> visit_maildrop(Scene& scene, VisitWhat what) {
  return std::make_unique<Pop3Visit>(scene, what);
}

}  // namespace mailproof::load
