#include "play/recorded/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "play/earlier.h"
#include "play/ownership.h"
#include "wire/mime/report.h"

namespace mailproof::play {

namespace {

constexpr std::uint64_t kMostCompared = 1U << 20;  // octets: a larger message is made again by nobody who only reads

std::string quoted(const std::string& octets, std::string_view nothing) {
  return octets.empty() ? std::string(nothing) : fmt::format("\"{}\"", printable(octets, 100));
}

}  // namespace

mail::ContentScanner::AsSent as_sent(const Context& context) {
  return [&context](const mail::Token& token) -> std::shared_ptr<const std::string> {
    const std::uint32_t number = context.messages.exactly(token);
    if (number == 0 || context.history.message(number).size > kMostCompared) return nullptr;
    return context.messages.again(number);
  };
}

namespace {

/// Whose address this is; 0: nobody's here.
std::uint32_t account_of(const Context& context, std::string_view address) {
  for (std::size_t i = 0; i < context.accounts.size(); ++i)
    if (!address.empty() && iequals(context.accounts[i].address, address)) return static_cast<std::uint32_t>(i + 1);
  return 0;
}

/// Over POP3 every line of a reply ends with CRLF (RFC 1939 section 3): a message whose last line does not end gets an
/// end there, and is what was sent all the same.
bool only_ended(const Context& context, const mail::ContentScanner& scanner, const history::Event& e) {
  const auto& other = scanner.difference();
  return other && e.session != 0 && context.history.session(e.session).protocol == Protocol::pop3 &&
         other->sent.empty() && other->came == "\r\n" && scanner.canonical_octets() == other->offset + 2 &&
         other->offset == context.history.message(e.message).size &&
         !context.messages.again(e.message)->ends_with("\n");
}

/// A line end that is another is shown whole: all that we send ends its lines with CRLF, so what differs from the LF on
/// has a CR before it, also in what came.
std::string differs(std::uint64_t offset, std::string sent, std::string came) {
  if (sent.starts_with('\n')) {
    --offset;
    for (std::string* both : {&sent, &came}) both->insert(0, 1, '\r');
  }
  return fmt::format("from octet {} on {} was sent, and {} came", offset, quoted(sent, "nothing more"),
                     quoted(came, "nothing"));
}

}  // namespace

void describe_content(const Context& context, const mail::ContentScanner& scanner, bool full, history::Event& e) {
  e.size = scanner.octets();
  e.code = full ? "full" : "header";
  if (scanner.token() == nullptr) return;
  e.message = context.messages.number_of(*scanner.token());
  e.hash = full ? scanner.hash() : scanner.header_hash();
  if (full && e.message != 0 && only_ended(context, scanner, e))
    e.hash = context.history.message(e.message).hash;
  else if (const auto& other = scanner.difference(); full && other && e.message != 0)
    e.set = differs(other->offset, other->sent, other->came);
  else if (full && !scanner.added().empty())
    e.set = fmt::format("with {}", fmt::join(scanner.added(), ", "));
  // Who only quotes or copies our header is somebody else.
  if (e.message == 0 && identify(context.messages, scanner).whose == Whose::leftover) {
    // What an earlier scenario of this run sent may come only now; in somebody else's mailbox it is a leak.
    const bool late = played_before(scanner.token()->run) && e.session != 0 &&
                      account_of(context, scanner.token()->owner) == context.history.account_of(e);
    e.flags = late ? "earlier-scenario" : "foreign-run";
    e.text = e.text.empty() ? scanner.token()->text() : e.text;
  }
}

namespace {

/// The message that a report is about: the returned header or message has its token. Nothing need be returned (RFC 6522
/// section 3); then the envelope says it, where that had a name.
std::uint32_t reported_on(const Context& context, std::string_view report, const std::string& envelope) {
  const std::string needle = fmt::format("\n{}:", mail::kTokenHeader);
  for (auto at = report.find(needle); at != std::string_view::npos; at = report.find(needle, at + 1)) {
    const auto value = report.substr(at + needle.size(), 200);
    if (const auto token = mail::Token::parse(value.substr(0, value.find('\n'))))
      return context.messages.number_of(*token);
  }
  return context.messages.of_envelope(envelope);
}

/// A report must have the null reverse-path (RFC 5321 section 4.5.5); the last MTA writes it down as Return-Path, some
/// of them as <MAILER-DAEMON>.
bool has_sender(std::string_view report) {
  const std::string header = lower(report.substr(0, report.find("\r\n\r\n")));
  constexpr std::string_view field = "return-path:";
  const auto at = header.starts_with(field) ? 0 : header.find("\nreturn-path:");
  if (at == std::string::npos) return false;
  const auto value = std::string_view(header).substr(header.find(':', at) + 1);
  const auto path = value.substr(0, value.find('\n'));
  return path.find('@') != std::string_view::npos && path.find("mailer-daemon") == std::string_view::npos;
}

/// RFC 3464 section 2.3.2: an MTA may have rewritten the address that it names as the final one. A report with one
/// recipient on a message with one recipient is about that one.
std::uint32_t recipient_of(const Context& context, const mime::DeliveryReport& report, const mime::DeliveryStatus& one,
                           std::uint32_t message) {
  for (const std::string& address : {one.final_recipient, one.original_recipient})
    if (const std::uint32_t account = account_of(context, address)) return account;
  std::set<std::uint32_t> sent_to;
  for (const auto& attempt : context.ledger.attempts_of(message)) sent_to.insert(attempt.account);
  return message != 0 && report.recipients.size() == 1 && sent_to.size() == 1 ? *sent_to.begin() : 0;
}

}  // namespace

void record_reports(Context& context, const mail::ContentScanner& scanner, const history::Event& at) {
  const auto report = mime::parse_report(scanner.kept());
  if (!report) return;
  const std::uint32_t message = reported_on(context, scanner.kept(), report->original_envelope_id);
  for (const auto& recipient : report->recipients) {
    history::Event e = at;
    e.what = history::What::report;
    e.message = message;
    e.code = recipient.effective_status() ? recipient.effective_status()->text() : "";
    e.text = fmt::format("{}: {}", recipient.action.empty() ? "without-action" : recipient.action,
                         recipient.diagnostic_code);
    e.hash = 0;
    e.flags = has_sender(scanner.kept()) ? "sender-not-null" : "";
    e.account = recipient_of(context, *report, recipient, message);
    context.append(std::move(e));
  }
}

std::string join_flags(std::vector<std::string> flags) {
  std::sort(flags.begin(), flags.end());
  std::string out;
  for (const auto& flag : flags) {
    if (!out.empty()) out += ' ';
    out += flag;
  }
  return out;
}

}  // namespace mailproof::play
