#include "play/ownership.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <mutex>
#include <tuple>

#include "core/bytes.h"
#include "play/earlier.h"
#include "wire/mime/content_type.h"
#include "wire/mime/header.h"
#include "wire/text/words.h"

namespace mailproof::play {
namespace {

constexpr std::string_view kOwnMailbox = "mailproof-";
constexpr std::size_t kPlayingDigits = 16;  ///< of Messages::playing()

bool owned_kind(Whose whose) { return whose == Whose::ours || whose == Whose::leftover || whose == Whose::report; }

struct Played {
  std::mutex mutex;
  std::vector<std::uint64_t> all;  ///< in order
};

Played& played() {
  static Played one;
  return one;
}

/// Whether a list of Message-IDs (RFC 5322 section 3.6.4) has one of this playing, or of one before it in this run.
bool names_ours(const OwnMessages& messages, std::string_view ids) {
  for (auto at = ids.find('<'); at != std::string_view::npos; at = ids.find('<', at + 1))
    if (const auto id = ids.substr(at, ids.find('>', at) - at + 1); messages.made(id) || made_before(id)) return true;
  return false;
}

bool says_it_reports(std::string_view header) {
  const auto field = mime::find_field(header, "Content-Type");
  if (!field) return false;
  const auto type = mime::parse_content_type(*field);
  if (type.is("multipart", "report")) return iequals(type.parameter("report-type"), "delivery-status");
  if (!type.is("multipart", "mixed")) return false;
  const auto path = mime::find_field(header, "Return-Path");
  return path && mailproof::text::trim(*path) == "<>";
}

Identity report_or_foreign(const OwnMessages& messages, std::string_view header) {
  if (!says_it_reports(header)) return {};
  for (const char* name : {"References", "In-Reply-To"})
    if (const auto ids = mime::find_field(header, name); ids && names_ours(messages, *ids)) return {Whose::report, 0};
  return {Whose::maybe_report, 0};
}

/// mime::unfold() without a copy of what is not folded.
std::string_view unfolded(std::string_view body, std::string& folded) {
  if (body.find('\n') == std::string_view::npos && body.find('\r') == std::string_view::npos)
    return mailproof::text::trim(body);
  return folded = mime::unfold(body);
}

}  // namespace

void note_played(std::uint64_t playing) {
  const std::lock_guard lock(played().mutex);
  played().all.push_back(playing);
}

bool played_before(std::uint64_t playing) {
  const std::lock_guard lock(played().mutex);
  const auto& all = played().all;
  return std::find(all.begin(), all.end(), playing) != all.end();
}

bool made_before(std::string_view message_id) {
  constexpr std::size_t kDigits = 16;
  if (message_id.size() < kDigits + 2 || message_id.front() != '<' || message_id[kDigits + 1] != '.') return false;
  const char* const first = message_id.data() + 1;
  std::uint64_t playing = 0;
  const auto [end, error] = std::from_chars(first, first + kDigits, playing, 16);
  return error == std::errc() && end == first + kDigits && message_id.ends_with("@mailproof.invalid>") &&
         played_before(playing);
}

std::vector<std::string> newest_played(std::size_t most) {
  const std::lock_guard lock(played().mutex);
  std::vector<std::string> out;
  const auto& all = played().all;
  for (auto at = all.rbegin(); at != all.rend() && out.size() < most; ++at) out.push_back(fmt::format("{:016x}", *at));
  return out;
}

Identity identify(const OwnMessages& messages, const mail::ContentScanner& scanner) {
  std::string_view rest = scanner.header();
  std::size_t tokens = 0, ids = 0, subjects = 0;
  std::string_view token_text, id, subject;
  std::string folds[3];  // memory only where one is folded
  while (const auto field = mime::take_field(rest)) {
    if (iequals(field->name, mail::kTokenHeader)) {
      ++tokens;
      token_text = unfolded(field->body, folds[0]);
    } else if (iequals(field->name, "Message-ID")) {
      ++ids;
      id = unfolded(field->body, folds[1]);
    } else if (iequals(field->name, "Subject")) {
      ++subjects;
      subject = unfolded(field->body, folds[2]);
    }
  }
  if (tokens == 0) return report_or_foreign(messages, scanner.header());
  if (tokens != 1 || ids != 1 || subjects != 1) return {};
  // What the scanner read need not be read again.
  std::optional<mail::Token> parsed;
  const mail::Token* token =
      scanner.token() != nullptr && scanner.token()->is_said_by(token_text) ? scanner.token() : nullptr;
  if (token == nullptr && (parsed = mail::Token::parse(token_text))) token = &*parsed;
  if (token == nullptr) return {};
  if (!token->has_message_id(id) || !mail::subject_fits(*token, subject)) return {};
  if (const std::uint32_t message = messages.exactly(*token)) return {Whose::ours, message};
  // A token of this playing that we never made is forged.
  return messages.of_this_playing(*token) ? Identity{} : Identity{Whose::leftover, 0};
}

std::string own_mailbox_name(const Messages& messages) { return fmt::format("{}{}", kOwnMailbox, messages.playing()); }

std::optional<OwnedMailbox> named_as_ours(const std::string& name) {
  const std::string capitals = upper(kOwnMailbox);
  // A server may "coerce names to a particular case" (RFC 3501 section 5.1): all of it, then.
  for (const auto& [word, first, last] :
       {std::tuple(kOwnMailbox, 'a', 'f'), std::tuple(std::string_view(capitals), 'A', 'F')}) {
    const auto hex = [first = first, last = last](char c) {
      return (c >= '0' && c <= '9') || (c >= first && c <= last);
    };
    for (auto at = name.find(word); at != std::string::npos; at = name.find(word, at + 1)) {
      const bool begins = at == 0 || std::isalnum(static_cast<unsigned char>(name[at - 1])) == 0;
      const std::string_view number = std::string_view(name).substr(at + word.size(), kPlayingDigits);
      if (begins && number.size() == kPlayingDigits && std::all_of(number.begin(), number.end(), hex))
        return OwnedMailbox(name);
    }
  }
  return std::nullopt;
}

std::string OwnedUids::set() const { return history::format_uids(uids_); }

void ImapGuard::opened(const std::string& mailbox, std::uint32_t uidvalidity) {
  mailbox_ = mailbox;
  uidvalidity_ = uidvalidity;
  asking_from_ = 1;
  known_.clear();
}

void ImapGuard::saw(std::uint32_t uid, const Identity& identity) {
  if (uid == 0) return;
  const auto found = known_.find(uid);
  if (found == known_.end()) {
    if (uid >= asking_from_) known_.emplace(uid, Known{identity, false});
    return;
  }
  Known& known = found->second;
  const bool about_us = known.identity.whose == Whose::report && identity.whose == Whose::maybe_report;
  if (identity == known.identity || about_us) return;
  known.contradicted = true;
}

void ImapGuard::is_about_us(std::uint32_t uid) {
  const auto found = known_.find(uid);
  if (found != known_.end() && found->second.identity.whose == Whose::maybe_report)
    found->second.identity.whose = Whose::report;
}

void ImapGuard::contradict(std::uint32_t uid) {
  if (const auto found = known_.find(uid); found != known_.end()) found->second.contradicted = true;
}

Whose ImapGuard::whose(std::uint32_t uid) const {
  const auto found = known_.find(uid);
  return found == known_.end() || found->second.contradicted ? Whose::foreign : found->second.identity.whose;
}

std::uint32_t ImapGuard::message(std::uint32_t uid) const {
  return whose(uid) == Whose::ours ? known_.at(uid).identity.message : 0;
}

std::vector<std::uint32_t> ImapGuard::maybe_reports() const {
  std::vector<std::uint32_t> uids;
  for (const auto& [uid, known] : known_)
    if (whose(uid) == Whose::maybe_report) uids.push_back(uid);
  return uids;
}

bool ImapGuard::is_ours(std::uint32_t uid) const { return owned_kind(whose(uid)); }

OwnedUids ImapGuard::owned(const std::vector<std::uint32_t>& uids) const {
  OwnedUids out;
  out.mailbox_ = mailbox_;
  out.uidvalidity_ = uidvalidity_;
  for (const auto uid : uids)
    if (own_mailboxes_ || is_ours(uid)) out.uids_.push_back(uid);
  std::sort(out.uids_.begin(), out.uids_.end());
  out.uids_.erase(std::unique(out.uids_.begin(), out.uids_.end()), out.uids_.end());
  return out;
}

std::optional<ExpungePermit> ImapGuard::may_expunge(std::uint32_t exists,
                                                    const std::map<std::uint32_t, bool>& deleted) const {
  if (own_mailboxes_) return ExpungePermit(mailbox_, uidvalidity_);
  if (deleted.size() != exists) return std::nullopt;
  for (const auto& [uid, marked] : deleted)
    if (marked && !is_ours(uid)) return std::nullopt;
  return ExpungePermit(mailbox_, uidvalidity_);
}

std::optional<OwnedSoFar> ImapGuard::all_ours(std::uint32_t exists, std::uint32_t uidnext) const {
  const bool ours = std::all_of(known_.begin(), known_.end(), [this](const auto& one) { return is_ours(one.first); });
  if (!own_mailboxes_ && (!ours || known_.size() < exists)) return std::nullopt;
  const std::uint32_t highest = known_.empty() ? 0 : known_.rbegin()->first;
  return OwnedSoFar(exists, highest, std::max(highest, uidnext == 0 ? 0 : uidnext - 1));
}

void Pop3Guard::saw(std::uint32_t number, const Identity& identity) {
  const auto [known, fresh] = known_.try_emplace(number, identity);
  if (!fresh && known->second != identity) known->second.reset();
}

bool Pop3Guard::is_ours(std::uint32_t number) const {
  const auto known = known_.find(number);
  return known != known_.end() && known->second && owned_kind(known->second->whose);
}

std::optional<OwnedNumber> Pop3Guard::owned(std::uint32_t number) const {
  if (own_mailboxes_ || is_ours(number)) return OwnedNumber(number);
  return std::nullopt;
}

}  // namespace mailproof::play
