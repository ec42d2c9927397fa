#include <fmt/format.h>

#include <utility>

#include "session/imap/client_impl.h"
#include "wire/imap/utf7.h"

namespace mailproof::session {

using Kind = imap::Response::Kind;

namespace {

/// Numbers held for one call of the sink. A set from the wire can name four thousand million.
constexpr std::size_t most_numbers = 4'000'000;
constexpr std::size_t last_line_kept = 160;

/// The numbers of a set in the order written. False when it holds "*" or too many.
bool expand(const imap::SequenceSet& set, std::vector<std::uint32_t>& into) {
  into.clear();
  if (set.has_star()) return false;
  std::uint64_t count = 0;
  for (const auto& [first, last] : set.ranges()) count += (first < last ? last - first : first - last) + 1ULL;
  if (count > most_numbers) return false;
  set.for_each(0xffff'ffffU, [&](std::uint32_t n) { into.push_back(n); });
  return true;
}

/// The section that an item of IMAP4rev1 stands for (RFC 3501 section 6.4.5).
std::string_view section_of(std::string_view item, std::string_view section) {
  if (iequals(item, "RFC822.HEADER")) return "HEADER";
  if (iequals(item, "RFC822.TEXT")) return "TEXT";
  return section;
}

}  // namespace

imap::LiteralAction ImapClient::Impl::on_literal_begin(const imap::LiteralBegin& begin) {
  if (phase == Phase::over) return imap::LiteralAction::discard;
  if (begin.too_large) {
    broken(fmt::format("literal of {} octets announced", begin.size));
    return imap::LiteralAction::discard;
  }
  const auto content = imap::content_literal(begin.line);
  if (!content) return imap::LiteralAction::keep;
  content_open = true;
  sink.on_content_begin(content->message, section_of(content->item, content->section), begin.size, now);
  return imap::LiteralAction::stream;
}

void ImapClient::Impl::on_literal_chunk(std::string_view octets) {
  if (content_open) sink.on_content(octets);
}

void ImapClient::Impl::on_literal_end() {
  if (std::exchange(content_open, false)) sink.on_content_end();
}

void ImapClient::Impl::on_number(std::uint32_t number) {
  if (numbers.size() >= most_numbers)
    return broken(fmt::format("a search result of more than {} numbers", most_numbers));
  numbers.push_back(number);
}

void ImapClient::Impl::on_line(const imap::LogicalLine& line) {
  if (phase == Phase::over) return;
  last_line.assign(line.text.substr(0, last_line_kept));
  if (++responses > config.max_responses)
    return broken(fmt::format("more than {} responses without an end", config.max_responses));
  decode_response(line, response, &framer.deviations());
  report_deviations();
  if (response.kind == Kind::unreadable)
    unreadable(line, response);
  else if (phase == Phase::greeting)
    greet(response);
  else
    handle(response);
  numbers.clear();
}

void ImapClient::Impl::unreadable(const imap::LogicalLine& line, const imap::Response& r) {
  const bool untagged = line.text.starts_with('*');
  if (phase == Phase::greeting) return broken(fmt::format("this is no IMAP greeting: {}", r.problem));
  // One odd untagged response harms nobody; the reply we wait for, or bytes that are no response at all, do.
  if (!untagged || phase != Phase::ready) broken(fmt::format("unreadable response: {}", r.problem));
}

void ImapClient::Impl::handle(const imap::Response& r) {
  switch (r.kind) {
    case Kind::tagged:
      return complete(r);
    case Kind::continuation:
      return continuation(r.text);
    case Kind::status:
      return status_response(r);
    case Kind::capability:
      return set_capabilities(r.words);
    case Kind::flags:
      return mailbox.select_answering();
    case Kind::exists:
      return exists(r.number);
    case Kind::recent:
      return sink.on_recent(r.number, now);
    case Kind::expunge:
      return expunge(r.number);
    case Kind::vanished:
      return vanished(r);
    case Kind::fetch:
      return fetch(r);
    case Kind::list:
    case Kind::lsub:
      return list(r);
    case Kind::mailbox_status:
      return mailbox_status(r);
    case Kind::search:
    case Kind::sort:
      return sink.on_search(numbers, now);
    case Kind::esearch:
      return esearch(r);
    case Kind::quota:
    case Kind::quota_root:
      return quota(r);
    case Kind::namespaces:
      return namespaces(r);
    case Kind::unreadable:
    case Kind::enabled:
    case Kind::id:
    case Kind::other:
      return;
  }
}

void ImapClient::Impl::status_response(const imap::Response& r) {
  if (r.status == imap::Status::bye) {
    bye_text = r.text;
    // The server closes now (RFC 9051 section 7.1.5); it gets this long for it.
    if (const ImapPending* command = oldest(); command == nullptr || command->verb != ImapVerb::logout)
      bye_at = now + config.greeting_bound;
    return;
  }
  if (r.code.is("COPYUID") && oldest() != nullptr) copied(*oldest(), r.code);
  if (r.code) untagged_code(r.code);
}

void ImapClient::Impl::untagged_code(const imap::ResponseCode& code) {
  if (code.is("CAPABILITY")) return set_capabilities(code.words);
  if (code.is("CLOSED")) return mailbox.select_answering();
  ImapView& view = mailbox.view();
  if (code.is("UIDVALIDITY") || code.is("UIDNEXT") || code.is("HIGHESTMODSEQ") || code.is("PERMANENTFLAGS"))
    mailbox.select_answering();
  if (code.is("UIDVALIDITY")) {
    view.uidvalidity = code.number;
  } else if (code.is("UIDNEXT")) {
    view.uidnext = code.number;
  } else if (code.is("HIGHESTMODSEQ")) {
    view.highestmodseq = code.modseq.value_or(0);
  } else if (code.is("NOMODSEQ")) {
    view.highestmodseq = 0;
  } else if (code.is("READ-ONLY")) {
    view.read_only = true;
  }
}

void ImapClient::Impl::copied(ImapPending& command, const imap::ResponseCode& code) {
  if (code.uidvalidity == 0) return;
  command.uidvalidity = code.uidvalidity;
  const bool fits = expand(code.source, command.source_uids) && expand(code.destination, command.destination_uids);
  if (!fits) deviate("imap.copyuid.unusable", code.arguments);
}

void ImapClient::Impl::exists(std::uint32_t n) {
  if (n > ImapMailboxView::max_messages) return broken(fmt::format("the server claims a mailbox of {} messages", n));
  mailbox.select_answering();
  if (!mailbox.in_mailbox()) return deviate("imap.unselected.data", last_line);
  std::uint32_t before = 0;
  if (const auto code = mailbox.exists(n, before); !code.empty()) deviate(code, last_line);
  sink.on_exists(n, before, now);
}

void ImapClient::Impl::expunge(std::uint32_t seq) {
  std::uint32_t uid = 0;
  if (const auto code = mailbox.expunge(seq, uid); !code.empty()) return deviate(code, last_line);
  sink.on_expunge(seq, uid, now);
}

void ImapClient::Impl::vanished(const imap::Response& r) {
  if (r.earlier) mailbox.select_answering();
  if (!expand(r.set, numbers)) return broken("a VANISHED of more messages than a mailbox holds");
  sink.on_vanished(numbers, r.earlier, now);
  if (r.earlier || phase == Phase::over) return;
  const auto removed = mailbox.vanished(r.set);
  if (removed.size() < numbers.size()) deviate("imap.vanished.unknown_uid", last_line);
  for (const auto& [seq, uid] : removed) {
    if (phase == Phase::over) return;
    sink.on_expunge(seq, uid, now);
  }
}

void ImapClient::Impl::fetch(const imap::Response& r) {
  const imap::FetchData& data = r.fetch;
  row.seq = r.number;
  row.uid = data.uid;
  if (const auto code = mailbox.fetched(r.number, row.uid); !code.empty()) deviate(code, last_line);
  row.flags.reset();
  if (data.has_flags) {
    flag_views.clear();
    data.flags.for_each([this](std::string_view flag) { flag_views.push_back(flag); });
    row.flags = std::move(flag_views);
  }
  row.size = data.size;
  row.modseq = data.modseq;
  row.internaldate = data.internaldate.raw();
  row.envelope = data.envelope;
  row.bodystructure = data.bodystructure;
  row.has_content = !data.sections.empty();
  row.content_nil = false;
  row.section = {};
  row.content_size = 0;
  bool first = true;
  for (const imap::FetchSection& part : data.sections) {
    const std::string_view section = section_of(part.item, part.section);
    if (!part.content.is_nil() && part.content.literal() == nullptr) {
      // A quoted string goes the way of a literal.
      content_text.clear();
      part.content.append_to(content_text);
      sink.on_content_begin(r.number, section, content_text.size(), now);
      if (!content_text.empty()) sink.on_content(content_text);
      sink.on_content_end();
    }
    if (!std::exchange(first, false)) continue;
    row.section = section;
    row.content_nil = part.content.is_nil();
    row.content_size = part.content.literal() != nullptr ? part.content.size() : content_text.size();
  }
  if (row.content_nil) row.content_size = 0;
  sink.on_fetch(row, now);
  if (row.flags) flag_views = std::move(*row.flags);
}

std::string ImapClient::Impl::mailbox_name(const imap::Text& name) {
  std::string raw = name.text();
  auto decoded = imap::decode_utf7(raw);
  if (decoded) return people_name(std::move(*decoded));
  deviate("imap.mailbox.utf7", raw);
  return raw;
}

void ImapClient::Impl::list(const imap::Response& r) {
  const std::string name = mailbox_name(r.list.mailbox);
  ImapListRow listed;
  listed.name = name;
  listed.separator = r.list.separator;
  listed.attributes = r.list.attributes;
  listed.subscribed = r.kind == Kind::lsub;
  sink.on_list(listed, now);
}

void ImapClient::Impl::mailbox_status(const imap::Response& r) {
  const std::string name = mailbox_name(r.mailbox);
  for (const imap::StatusItem& item : r.items) sink.on_status(name, item.name, item.value, now);
}

void ImapClient::Impl::esearch(const imap::Response& r) {
  if (!expand(r.esearch.all, numbers)) return broken("an ESEARCH of more messages than a mailbox holds");
  sink.on_search(numbers, now);
}

void ImapClient::Impl::quota(const imap::Response& r) {
  if (r.kind == Kind::quota_root) {
    const std::string name = mailbox_name(r.mailbox);
    for (const imap::Text& root : r.quota_roots) sink.on_quota_root(name, root.text(), now);
    return;
  }
  const std::string root = r.quota_roots.front().text();
  for (const imap::QuotaResource& resource : r.quota)
    sink.on_quota(root, resource.name, resource.usage, resource.limit, now);
}

}  // namespace mailproof::session
