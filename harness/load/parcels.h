#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/fate.h"
#include "core/time.h"
#include "mail/stamp.h"
#include "play/own_messages.h"

namespace mailproof::load {

/// One message of a plan, from its delivery to its end.
struct Parcel {
  enum class Outcome : std::uint8_t {
    waiting,  ///< not handed over: nobody came to it, or the connection ended before the last octet had left us
    sending,
    accepted,
    refused,
    unknown,  ///< all of it was handed over, and no answer came: it may have been taken (RFC 1047)
  };
  std::uint64_t hash = 0;          ///< of its content as sent
  Time accepted{};                 ///< when the server took it
  Time seen{};                     ///< when the first device saw it
  std::uint32_t account = 0;       ///< index into the customers' accounts
  std::uint32_t size = 0;          ///< octets
  std::uint32_t seen_by = 0;       ///< session
  std::uint32_t removed_by = 0;    ///< session that asked first
  std::uint32_t delivered_by = 0;  ///< session that brought it
  std::uint32_t uid = 0;           ///< in INBOX, as an IMAP device saw it first; 0 = none did
  std::uint8_t present = 0;        ///< copies that the audit found
  Outcome outcome = Outcome::waiting;
  bool was_seen : 1 = false;
  bool flagged : 1 = false;          ///< the server said OK to a client's \Deleted: whatever expunges may take it
  bool marked : 1 = false;           ///< ... or to its DELE, which is nothing without QUIT
  bool removal_asked : 1 = false;    ///< some client asked for it, and it may have happened
  bool removal_certain : 1 = false;  ///< ... and the server said that it did
  bool over_pop3 : 1 = false;        ///< the certain one was asked for over POP3
  bool downloaded : 1 = false;       ///< by a POP3 session that ended with QUIT and did not mark it
  bool copied : 1 = false;           ///< a client made a second copy
  bool filed : 1 = false;            ///< a client asked for it to be moved: what is there may be in the other mailbox
  bool twice : 1 = false;            ///< devices saw two of it in one mailbox
  bool bounced : 1 = false;          ///< a report says it was not delivered
  bool by_customer : 1 = false;      ///< a customer sent it
  bool saved : 1 = false;            ///< ... or put it into a mailbox of his own by APPEND
  std::uint8_t looks = 0;            ///< of the audit, into all mailboxes where it may be
};
static_assert(sizeof(Parcel) <= 64, "the memory budget of a message at load");

/// What a message came to in the end.
enum class End : std::uint8_t {
  refused,
  unknown,
  present,
  removed,     ///< a client asked for it, and the server said that it did
  unanswered,  ///< it is gone; a client asked for its removal, and no answer came
  flagged,     ///< it is gone; no client asked for more than \Deleted
  unquit,      ///< it is gone; a client's DELE was followed by no QUIT
  bounced,
  lost,
  not_looked_for,
};

/// How many messages stand where, at any moment.
struct ParcelCounts {
  std::uint64_t sent = 0;  ///< of which something was handed over, or said
  std::uint64_t accepted = 0, refused = 0, unknown = 0;
  std::uint64_t removed = 0, seen = 0;  ///< of the accepted: the server said that it is; seen and not removed
  friend bool operator==(const ParcelCounts&, const ParcelCounts&) = default;
};

/// The ledger of a plan on one thread: every message that was due has a line, and every line an end. Nothing here
/// knows what is right; it remembers.
class Parcels final : public play::OwnMessages {
 public:
  using Owner = std::function<const std::string&(std::uint32_t account)>;  ///< an account's address
  Parcels(std::uint64_t run_id, std::uint64_t seed, Owner owner)
      : run_id_(run_id), seed_(seed), owner_(std::move(owner)) {}

  /// Numbers of what customers send begin here; what comes in for them has those below.
  static constexpr std::uint32_t kCustomers = 0x8000'0000;
  /// `number` is the run's, from 1; of what comes in ascending.
  std::size_t add(std::uint32_t number, std::uint32_t account, std::uint32_t size);
  mail::Token token(std::size_t index) const;
  std::uint32_t number(std::size_t index) const { return numbers_[index]; }
  /// What counts() counts is changed below, and not here.
  Parcel& at(std::size_t index) { return all_[index]; }
  const Parcel& at(std::size_t index) const { return all_[index]; }
  std::size_t size() const { return all_.size(); }
  /// By the number that identify() gives; it was given.
  std::size_t index(std::uint32_t number) const;

  void came_to(std::size_t index, Parcel::Outcome outcome);
  void was_seen(std::size_t index);
  void removed(std::size_t index);  ///< the server said that it removed it
  const ParcelCounts& counts() const { return counts_; }
  ParcelCounts counted() const;  ///< the same by a look at each

  static End end(const Parcel& parcel);

  // play::OwnMessages
  std::uint32_t exactly(const mail::Token& token) const override;
  /// The index of the message that a scanner read to its end and that came octet for octet as it was sent, below
  /// nothing but what servers put on top: then its header is the one that was made for it, and need not be read field
  /// by field.
  std::optional<std::size_t> same(const mail::ContentScanner& scanner) const;
  bool of_this_playing(const mail::Token& token) const override { return token.run == run_id_; }
  bool made(std::string_view message_id) const override { return which(message_id) != 0; }
  std::string playing() const;     ///< what no mail but this run's has in it
  std::string no_playing() const;  ///< a number as that, which stands in no mail
  /// The number of the message with this Message-ID; 0 = none of this run on this thread.
  std::uint32_t which(std::string_view message_id) const;

 private:
  std::uint64_t run_id_, seed_;
  Owner owner_;
  std::optional<std::size_t> place(std::uint32_t number) const;
  std::optional<std::size_t> place(const mail::Token& token) const;
  std::vector<std::uint32_t> numbers_;      ///< by index
  std::vector<std::uint32_t> came_, sent_;  ///< indices by number, ascending: of what came in, of what customers sent
  std::vector<Parcel> all_;
  ParcelCounts counts_;
};

}  // namespace mailproof::load
