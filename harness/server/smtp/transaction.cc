#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "server/smtp/session.h"
#include "wire/smtp/path.h"
#include "wire/text/words.h"

namespace mailproof::server {
namespace {

/// A quoted local part is what stands in it (RFC 5321 section 4.1.2: "all quoted forms MUST be treated as equivalent").
std::string without_quotes(std::string_view path) {
  const auto [local, domain] = smtp::split_mailbox(path);
  if (!local.starts_with('"')) return std::string(path);
  std::string out;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) out += local[i] == '\\' ? local[++i] : local[i];
  return out.append("@").append(domain);
}

/// Only with a defect: the dot that a sender doubled stays doubled where a buffer ends.
void double_dots_at_edges(std::string& message) {
  constexpr std::size_t kBuffer = 16384;
  for (std::size_t at = kBuffer; at < message.size(); at += kBuffer)
    if (message[at] == '.' && message[at - 1] == '\n') message.insert(at, 1, '.');
}

}  // namespace

void SmtpSession::mail(std::string_view arguments) {
  if (client_.empty()) return print("503 5.5.1 {} comes first\r\n", lmtp_ ? "LHLO" : "EHLO");
  if (envelope_) return write("503 5.5.1 one message at a time\r\n");
  const auto from = smtp::parse_mail_from(arguments);
  if (!from) return print("{} 5.5.4 {}\r\n", from.error().where, from.error().why);
  if (from->body == smtp::Body::binary_mime) return write("555 5.5.4 BINARYMIME is not offered\r\n");
  if (from->size > kSizeLimit) return print("552 5.3.4 no message over {} octets\r\n", kSizeLimit);
  utf8_ = from->smtputf8;
  if (refuse_address(from->path)) return;
  envelope_ = Envelope{.sender = from->path,
                       .id = from->envid,
                       .return_full = from->ret == smtp::Ret::full,
                       .client = client_,
                       .with = with(utf8_),
                       .recipients = {}};
  write("250 2.1.0 sender ok\r\n");
}

void SmtpSession::rcpt(std::string_view arguments) {
  if (!envelope_) return write("503 5.5.1 MAIL comes first\r\n");
  const auto to = smtp::parse_rcpt_to(arguments);
  if (!to) return print("{} 5.5.4 {}\r\n", to.error().where, to.error().why);
  if (refuse_address(to->path)) return;
  if (envelope_->recipients.size() >= kMostRecipients) return write("452 4.5.3 too many recipients\r\n");
  const auto domain = smtp::split_mailbox(to->path).domain;
  if (!domain.empty() && !iequals(domain, context().options.domain)) {
    return print("550 5.7.1 <{}> relaying denied\r\n", to->path);
  }
  auto* account = recipient(to->path);
  if (account == nullptr) return print("550 5.1.1 <{}> user unknown\r\n", to->path);
  const auto& notify = to->notify;
  envelope_->recipients.push_back({.account = account,
                                   .address = to->path,
                                   .original = iequals(to->orcpt_type, "rfc822") ? to->orcpt : "",
                                   .notify_failure = !notify.given || notify.failure,
                                   .notify_success = notify.success});
  print("250 2.1.5 <{}> recipient ok\r\n", to->path);
}

/// RFC 6531 section 3.5: an address in UTF-8 goes with SMTPUTF8 only. True: the refusal was said.
bool SmtpSession::refuse_address(std::string_view address) {
  const bool ascii =
      std::all_of(address.begin(), address.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii || utf8_) return false;
  write("553 5.6.7 an address in UTF-8 goes with SMTPUTF8\r\n");
  return true;
}

/// Mail for the postmaster must not be refused (RFC 5321 section 4.5.1); here the first account is the postmaster.
AccountState* SmtpSession::recipient(std::string_view path) {
  auto& store = context().store;
  if (auto* account = store.by_address(without_quotes(path))) return account;
  const bool postmaster = iequals(smtp::split_mailbox(path).local, "postmaster");
  return postmaster && !store.accounts().empty() ? store.accounts().front().get() : nullptr;
}

void SmtpSession::data(std::string_view arguments) {
  if (!takes_none(arguments)) return;
  if (chunked_) return write("503 5.5.1 this message comes by BDAT\r\n");  // RFC 3030 section 2
  if (!envelope_ || envelope_->recipients.empty()) return write("503 5.5.1 RCPT comes first\r\n");
  reader_.emplace();
  message_.clear();
  write("354 go on; end with a dot\r\n");
}

/// Only with a defect: the message ends at what is no CRLF.CRLF, and what stands behind it is commands. It must have
/// come in one piece.
bool SmtpSession::ends_wrongly(std::string_view& bytes) {
  if (ends_nowhere_wrongly_) return false;
  std::size_t first = std::string_view::npos, octets = 0;
  const auto look_for = [&](std::string_view end) {
    for (auto at = bytes.find(end); at != std::string_view::npos; at = bytes.find(end, at + 1)) {
      const auto behind = at + end.size();
      const bool crlf = at > 0 && bytes[at - 1] == '\r' && end == "\n.\r\n";
      const bool right = crlf || (end == "\r\n.\r" && behind < bytes.size() && bytes[behind] == '\n');
      if (right || at >= first) continue;
      first = at;
      octets = end.size();
    }
  };
  if (context().has(defect("delivery.lf-dot-ends-data")))
    for (const std::string_view end : {"\n.\n", "\n.\r\n"}) look_for(end);
  if (context().has(defect("delivery.cr-dot-ends-data")))
    for (const std::string_view end : {"\r.\r", "\r\n.\r"}) look_for(end);
  ends_nowhere_wrongly_ = first == std::string_view::npos;
  if (ends_nowhere_wrongly_) return false;
  message_ += bytes.substr(0, first);
  message_ += "\r\n";
  bytes.remove_prefix(first + octets);
  if (bytes.starts_with('\n')) bytes.remove_prefix(1);
  finish_data();
  return true;
}

void SmtpSession::take_data(std::string_view& bytes) {
  if (ends_wrongly(bytes)) return;
  const auto text = reader_->take(bytes);
  if (message_.size() <= kSizeLimit) message_ += text;
  if (reader_->done()) finish_data();
}

// bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] (RFC 3030 section 2)
void SmtpSession::bdat(std::string_view arguments) {
  const std::string_view size = text::take_word(arguments);
  const auto octets = text::parse_number<std::uint64_t>(size);
  if (!octets) return write("501 5.5.4 BDAT wants a size\r\n");
  if (!arguments.empty() && !iequals(arguments, "LAST")) return write("501 5.5.4 nothing but LAST goes behind it\r\n");
  const bool refused = !envelope_ || envelope_->recipients.empty();
  chunked_ = !refused;
  chunk_ = Chunk{*octets, !arguments.empty(), refused};
  std::string_view none;
  if (*octets == 0) take_chunk(none);
}

void SmtpSession::take_chunk(std::string_view& bytes) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_->missing, bytes.size()));
  if (!chunk_->refused && message_.size() <= kSizeLimit) message_ += bytes.substr(0, n);
  bytes.remove_prefix(n);
  chunk_->missing -= n;
  if (chunk_->missing != 0) return;
  const Chunk done = *std::exchange(chunk_, std::nullopt);
  if (done.refused) return write("503 5.5.1 RCPT comes first\r\n");
  if (!done.last) return print("250 2.0.0 {} octets so far\r\n", message_.size());
  chunked_ = false;
  if (!context().has(defect("delivery.bdat-lost"))) return finish_data();
  envelope_.reset();
  write("250 2.0.0 queued\r\n");
  close();
}

/// RFC 5321 section 4.1.1.5: sender, recipients, and mail data.
void SmtpSession::forget() {
  envelope_.reset();
  chunked_ = false;
  if (!context().has(defect("delivery.rset-keeps-chunks"))) message_.clear();
}

void SmtpSession::finish_data() {
  if (context().has(defect("delivery.dot-kept-at-edge"))) double_dots_at_edges(message_);
  const auto envelope = std::move(*envelope_);
  envelope_.reset();
  reader_.reset();
  auto& delivery = context().delivery;
  std::vector<DeliveryReply> replies;
  if (message_.size() > kSizeLimit) {
    replies.assign(lmtp_ ? envelope.recipients.size() : 1, {552, "5.3.4", "the message is too large"});
  } else if (lmtp_) {
    replies = delivery.deliver_lmtp(envelope, message_, now());
  } else {
    replies = {delivery.deliver_smtp(envelope, message_, now())};
  }
  std::string().swap(message_);
  if (context().has(defect("delivery.wrong-lmtp-reply-order"))) std::reverse(replies.begin(), replies.end());
  if (context().has(defect("delivery.one-lmtp-reply-for-all"))) replies.resize(1);
  for (const auto& one : replies) reply(one);
}

void SmtpSession::reply(const DeliveryReply& reply) { print("{} {} {}\r\n", reply.code, reply.status, reply.text); }

/// The protocol as Received names it (RFC 3848, RFC 6531 section 4.3).
std::string_view SmtpSession::with(bool utf8) const {
  if (utf8 && lmtp_) return secure() ? "UTF8LMTPS" : "UTF8LMTP";
  if (utf8 && authenticated_) return secure() ? "UTF8SMTPSA" : "UTF8SMTPA";
  if (utf8) return secure() ? "UTF8SMTPS" : "UTF8SMTP";
  if (lmtp_) return secure() ? "LMTPS" : "LMTP";
  if (!extended_) return "SMTP";
  if (authenticated_) return secure() ? "ESMTPSA" : "ESMTPA";
  return secure() ? "ESMTPS" : "ESMTP";
}

}  // namespace mailproof::server
