#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mail/stamp.h"
#include "play/messages.h"
#include "play/own_messages.h"

// Whose mail it is. mailproof removes, moves, marks and reads no mail but its own: whatever a device, the audit or the
// clean-up does of that takes a proof, and proofs are made here only, from what the server showed of that very message.
// The talk of a check sends its lines as they are written: what would take messages is looked at before each of them.

namespace mailproof::play {

enum class Whose : std::uint8_t {
  foreign,       ///< somebody else's; also what could not be looked at, and what was shown in two ways
  ours,          ///< a message of this playing
  leftover,      ///< mailproof's, of another playing: an earlier one, or one that goes on now
  report,        ///< a delivery report about a message of this playing
  maybe_report,  ///< a delivery report; its header does not say about what. Foreign until that is known
};

struct Identity {
  Whose whose = Whose::foreign;
  std::uint32_t message = 0;  ///< which one, when it is ours
  bool operator==(const Identity&) const = default;
};

/// By its header alone, as the scanner saw it (a body behind it changes nothing). Ours or a leftover: exactly one
/// token, Message-ID and Subject stand in the header, the latter two are those that are made for this token, and of
/// this playing's also its seed and owner agree. A report: multipart/report with report-type=delivery-status (RFC
/// 6522), or multipart/mixed with the null reverse-path (RFC 5321 section 4.5.5), as OpenSMTPD's are, whose References
/// or In-Reply-To names a Message-ID of this playing. Nothing else, whatever its text quotes.
Identity identify(const OwnMessages& messages, const mail::ContentScanner& scanner);

/// UIDs of one mailbox that were seen to be ours, ascending.
class OwnedUids {
 public:
  bool empty() const { return uids_.empty(); }
  std::string set() const;  ///< as the protocol writes it
  /// Whether they are of the mailbox that is open now.
  bool of(const std::string& mailbox, std::uint32_t uidvalidity) const {
    return mailbox == mailbox_ && uidvalidity == uidvalidity_;
  }

 private:
  friend class ImapGuard;
  std::vector<std::uint32_t> uids_;
  std::string mailbox_;
  std::uint32_t uidvalidity_ = 0;
};

/// Nothing that bears \Deleted in this mailbox is somebody else's: a plain EXPUNGE takes what is ours only.
class ExpungePermit {
 public:
  /// Whether it is for the mailbox that is open now.
  bool of(const std::string& mailbox, std::uint32_t uidvalidity) const {
    return mailbox == mailbox_ && uidvalidity == uidvalidity_;
  }

 private:
  friend class ImapGuard;
  ExpungePermit(std::string mailbox, std::uint32_t uidvalidity)
      : mailbox_(std::move(mailbox)), uidvalidity_(uidvalidity) {}
  std::string mailbox_;
  std::uint32_t uidvalidity_;
};

/// All that a mailbox held when it was looked at is ours. What comes in later has a higher number and a higher UID (RFC
/// 3501 sections 2.3.1.1 and 2.3.1.2), so a line that names nothing above these takes what is ours only.
class OwnedSoFar {
 public:
  std::uint32_t messages() const { return messages_; }      ///< so many, numbered from 1
  std::uint32_t newest_uid() const { return newest_uid_; }  ///< of those that are there; 0: there are none
  std::uint32_t last_uid() const { return last_uid_; }      ///< none above it was given out

 private:
  friend class ImapGuard;
  OwnedSoFar(std::uint32_t messages, std::uint32_t newest_uid, std::uint32_t last_uid)
      : messages_(messages), newest_uid_(newest_uid), last_uid_(last_uid) {}
  std::uint32_t messages_, newest_uid_, last_uid_;
};

/// Everything in this mailbox, and in those below it, is ours: it may be deleted or renamed.
class OwnedMailbox {
 public:
  const std::string& name() const { return name_; }

 private:
  friend class MailboxCheck;
  friend std::optional<OwnedMailbox> named_as_ours(const std::string& name);
  explicit OwnedMailbox(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

/// What the names of mailboxes that a check makes begin with, in one of their levels: nobody else's do.
std::string own_mailbox_name(const Messages& messages);
/// By such a name, of this playing or an earlier one: what is in it was put there by a check.
std::optional<OwnedMailbox> named_as_ours(const std::string& name);

/// A message number of one POP3 session, seen to be ours.
class OwnedNumber {
 public:
  std::uint32_t number() const { return number_; }

 private:
  friend class Pop3Guard;
  explicit OwnedNumber(std::uint32_t number) : number_(number) {}
  std::uint32_t number_;
};

/// What one IMAP session was shown of the messages in its open mailbox.
class ImapGuard {
 public:
  /// `own_mailboxes`: the user said that everything there may be read and removed.
  explicit ImapGuard(bool own_mailboxes) : own_mailboxes_(own_mailboxes) {}

  /// Another mailbox is open, or the same one anew: nothing is known of it.
  void opened(const std::string& mailbox, std::uint32_t uidvalidity);
  /// Headers of this UID and those above it are asked for; what comes for one below, unasked, says nothing new.
  void asking_from(std::uint32_t uid) { asking_from_ = uid; }
  /// A header came (RFC 3501 section 7.4.2). The same UID with another identity: foreign from then on.
  void saw(std::uint32_t uid, const Identity& identity);
  /// A search found a Message-ID of this playing in it.
  void is_about_us(std::uint32_t uid);
  /// What came later shows that it is not what it was taken for: foreign from now on.
  void contradict(std::uint32_t uid);
  void gone(std::uint32_t uid) { known_.erase(uid); }

  Whose whose(std::uint32_t uid) const;
  std::uint32_t message(std::uint32_t uid) const;  ///< 0 = not one of this playing
  std::vector<std::uint32_t> maybe_reports() const;
  bool is_ours(std::uint32_t uid) const;  ///< whatever kind of ours

  /// Those of `uids` that are ours; by the user's word all of them.
  OwnedUids owned(const std::vector<std::uint32_t>& uids) const;
  /// `exists`: what the mailbox holds by EXISTS; `deleted`: UID and whether it bears \Deleted, of all of them. Nothing
  /// if something is missing in it, or foreign and marked.
  std::optional<ExpungePermit> may_expunge(std::uint32_t exists, const std::map<std::uint32_t, bool>& deleted) const;
  /// `exists`, `uidnext`: by EXISTS and [UIDNEXT], 0 = not told. Nothing if one of them is not ours, or was not seen.
  std::optional<OwnedSoFar> all_ours(std::uint32_t exists, std::uint32_t uidnext) const;

 private:
  struct Known {
    Identity identity;
    bool contradicted = false;
  };
  bool own_mailboxes_;
  std::string mailbox_;
  std::uint32_t uidvalidity_ = 0, asking_from_ = 1;
  std::map<std::uint32_t, Known> known_;
};

/// What one POP3 session was shown of the messages in its maildrop. Numbers hold for the session (RFC 1939 section 4).
class Pop3Guard {
 public:
  explicit Pop3Guard(bool own_mailboxes) : own_mailboxes_(own_mailboxes) {}
  /// A header came, by TOP or RETR. Another identity than before: foreign from then on.
  void saw(std::uint32_t number, const Identity& identity);
  bool looked_at(std::uint32_t number) const { return known_.contains(number); }
  bool is_ours(std::uint32_t number) const;  ///< whatever kind of ours
  /// Nothing: it is not ours, or nobody looked. By the user's word always a proof.
  std::optional<OwnedNumber> owned(std::uint32_t number) const;

 private:
  bool own_mailboxes_;
  std::map<std::uint32_t, std::optional<Identity>> known_;  ///< nothing inside: shown in two ways
};

}  // namespace mailproof::play
