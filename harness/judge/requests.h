#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/number_map.h"
#include "judge/case.h"

namespace mailproof::judge {

/// Something a client did that removes messages, or might look to a server as if it did.
struct Request {
  enum class Kind : std::uint8_t { imap, quit, dropped } kind = Kind::imap;
  std::uint32_t invoke = 0, completion = 0;  ///< dropped: both are the end of the session
  std::uint32_t session = 0, account = 0;
  bool marked = false;  ///< POP3: something was marked when it ended
};

/// Every EXPUNGE, CLOSE and MOVE, every QUIT, and every POP3 session that ended without one, by devices of the
/// scenario, and which of them a message may have gone with. All events are looked at once, by the constructor; then
/// every cell may be asked for. The case must outlive it.
class Requests {
 public:
  explicit Requests(const Case& c);

  /// The first request that a message seems to have gone with: not proven there after its end, not known absent before
  /// it began. Null: nobody removed anything then, or the server was killed since, so nobody's request is to blame.
  const Request* gone_with(const history::Cell& cell) const;

  /// The event of the last delivery or APPEND of this message into this mailbox that was accepted; 0 = none.
  std::uint32_t last_delivery(const history::Cell& cell) const;

 private:
  /// One mailbox of one account.
  struct Place {
    std::vector<std::uint32_t> any;       ///< requests that any message there may have gone with, by completion
    std::vector<std::uint32_t> earliest;  ///< of the invokes from here on
  };
  struct Pop3Talk {
    std::map<std::uint32_t, std::uint32_t> message;  ///< by number
    std::vector<std::uint32_t> touched;              ///< messages it retrieved, marked, or marked and unmarked again
    std::vector<std::uint32_t> marked;               ///< numbers
    bool quit = false;
  };
  struct Touch {
    std::uint64_t key = 0;  ///< message and place
    std::uint32_t request = 0;
    auto operator<=>(const Touch&) const = default;
  };
  struct ToldGone {
    std::uint32_t event = 0, uidvalidity = 0, uid = 0;
  };

  std::uint32_t place(std::uint32_t account, std::string_view mailbox);
  std::uint32_t find_place(const history::Cell& cell) const;
  void sight(const history::Event& e);
  void imap(const history::Event& e);
  void pop3(const history::Event& e);
  void add(Request request, std::uint32_t place, const std::vector<std::uint32_t>& touched);
  bool told_later(const Request& request, const history::Cell& cell) const;
  bool told_of_others_only(const Request& request, const history::Cell& cell) const;
  const Request* gone_with(const history::Cell& cell, bool as_told) const;

  const Case& c_;
  std::vector<Request> all_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> place_of_;  ///< account, mailbox in lower case
  std::vector<Place> places_;                                                ///< numbers are index + 1
  std::vector<Touch> touches_;
  history::NumberMap proof_, appended_;  ///< message and place -> event

  // While events are looked at, by session.
  std::map<std::uint32_t, std::string> selected_;
  std::map<std::uint32_t, std::uint32_t> uidvalidity_, login_;
  std::map<std::uint32_t, Pop3Talk> talks_;
  history::NumberMap visits_, seen_;  ///< session and place -> visit; message and visit -> seen there
  std::uint32_t visit_ = 0;

  std::map<std::uint32_t, std::vector<ToldGone>> told_gone_;  ///< by session
  /// Session and mailbox -> message -> the last event that tells it as gone; made when it is asked for.
  mutable std::map<std::pair<std::uint32_t, std::uint16_t>, history::NumberMap> last_told_;
};

/// Copies of the message in other mailboxes of the account, beyond what was put there: a filter's doing, or a MOVE's
/// that said NO and still moved some (RFC 6851 section 3.3).
int surplus_elsewhere(const Case& c, const history::Cell& cell);

/// Who marked the message with \Deleted last, was told OK, and did not take that back; and what told his session that
/// it is gone. Nothing of it where somebody asked for an EXPUNGE there.
struct Mark {
  const history::Event *by = nullptr, *told_gone = nullptr;
};
Mark marked_as_deleted(const Case& c, const history::Cell& cell);

/// The STORE, or APPEND, by which the message may have borne \Deleted between these events: not refused, asked for
/// before the second, and taken back by nobody who was answered before the first. Null: it bore none.
const history::Event* deleted_flag_at(const Case& c, const history::Cell& cell, std::uint32_t from, std::uint32_t to);

/// Requests that are looked for when they are first needed.
class RequestsWhenNeeded {
 public:
  explicit RequestsWhenNeeded(const Case& c) : c_(c) {}
  const Requests* operator->() const;
  /// The QUIT it seems to have gone with, if the message may have borne \Deleted then; else null.
  const Request* quit_that_took_marked(const history::Cell& cell) const;

 private:
  const Case& c_;
  mutable std::optional<Requests> requests_;
};

/// The event that told the session which had marked it with \Deleted, and was told OK, that it is gone, while nobody
/// asked for an EXPUNGE; null: none did. A server may expunge by itself, or another client of the account may.
const history::Event* gone_when_marked(const Case& c, const history::Cell& cell);

/// Certainly missing: two looks, the second after the settling time, both without it.
bool certainly_missing(const history::Cell& cell);

}  // namespace mailproof::judge
