#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/spare.h"
#include "session/imap/client_impl.h"
#include "wire/imap/utf7.h"

namespace mailproof::session {

using Kind = imap::Response::Kind;

namespace {

/// Numbers that a set may name; it is held as ranges, but none of a mailbox names more.
constexpr std::uint64_t most_named = 4'000'000;
/// Ranges held for one call of the sink: 8 octets each. What comes as ranges is bounded by its line already.
constexpr std::size_t most_ranges = 500'000;
/// Moving so many UIDs in memory is as much work as gaining or losing one message.
constexpr std::uint64_t moved_at_once = 64;
constexpr std::size_t last_line_kept = 160;
/// Room for so many ranges stays with a session at rest.
constexpr std::size_t numbers_kept = 32;

/// The section that an item of IMAP4rev1 stands for (RFC 3501 section 6.4.5). What BINARY brings is decoded, and none
/// of them (RFC 3516 section 4.3).
std::string_view section_of(std::string_view item, std::string_view section) {
  if (istarts_with(item, "BINARY")) return "BINARY";
  if (iequals(item, "RFC822.HEADER")) return "HEADER";
  if (iequals(item, "RFC822.TEXT")) return "TEXT";
  return section;
}

/// A value of the line with its literals in it, as quoted strings: a row is handed on without its line.
std::string_view self_contained(const imap::LogicalLine& line, std::string_view value, std::string& into) {
  if (value.empty() || line.literals.empty()) return value;
  const auto begin = static_cast<std::size_t>(value.data() - line.text.data());
  std::size_t done = begin;
  into.clear();
  for (const imap::Literal& literal : line.literals) {
    if (literal.at < done || literal.at >= begin + value.size() || !literal.in_memory) continue;
    std::string_view before = line.text.substr(done, literal.at - done);
    if (before.ends_with('~')) before.remove_suffix(1);
    into.append(before).append(1, '"');
    for (const char c : literal.data) {
      if (c == '"' || c == '\\') into += '\\';
      into += c;
    }
    into += '"';
    done = literal.at + literal.marker;
  }
  if (done == begin) return value;
  return into.append(line.text.substr(done, begin + value.size() - done));
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
  if (watch == nullptr) watch = Spare<LiteralWatch>::take();
  watch->begin(begin.line, begin.size, oldest() == nullptr ? std::string_view() : oldest()->tag);
  sink.on_content_begin(content->message, section_of(content->item, content->section), begin.size, now);
  return imap::LiteralAction::stream;
}

void ImapClient::Impl::on_literal_chunk(std::string_view octets) {
  if (watch != nullptr) watch->add(octets);
  if (content_open) sink.on_content(octets);
}

void ImapClient::Impl::on_literal_end() {
  if (std::exchange(content_open, false)) sink.on_content_end();
}

void ImapClient::Impl::on_number(std::uint32_t number) {
  if (numbers.ranges().size() >= most_ranges)
    return beyond(fmt::format("a search result of more than {} numbers that do not follow each other", most_ranges));
  numbers.add(number);
}

/// One for each line that is being handled on this thread: a sink may well feed another session.
class ImapClient::Impl::Handling {
 public:
  explicit Handling(Impl& impl) : impl_(impl), mine_(Spare<ImapScratch>::take()) { impl_.scratch = mine_.get(); }
  ~Handling() {
    impl_.scratch = nullptr;
    Spare<ImapScratch>::give(std::move(mine_));
  }
  Handling(const Handling&) = delete;

 private:
  Impl& impl_;
  std::unique_ptr<ImapScratch> mine_;
};

void ImapClient::Impl::on_line(const imap::LogicalLine& line) {
  if (phase == Phase::over) return;
  const Handling handling(*this);
  imap::Response& response = scratch->response;
  scratch->line = &line;
  last_line.assign(line.text.substr(0, last_line_kept));
  if (++responses > config.max_responses)
    return beyond(fmt::format("more than {} responses without an end", config.max_responses));
  decode_response(line, response, &framer.deviations());
  report_deviations();
  if (response.kind == Kind::unreadable)
    unreadable(line, response);
  else if (phase == Phase::greeting)
    greet(response);
  else
    handle(response);
  if (numbers.ranges().capacity() > numbers_kept)
    numbers = {};
  else
    numbers.clear();
  if (phase == Phase::over) return;
  if (watch != nullptr && response.kind != Kind::unreadable) {
    watch->row_over();
    if (!watch->found()) Spare<LiteralWatch>::give(std::move(watch));
  }
  kept_too_much();
}

/// Whoever listens says what of it stays in memory.
bool ImapClient::Impl::kept_too_much() {
  if (config.share == nullptr || !config.share->spent()) return false;
  beyond(config.share->why());
  return true;
}

bool ImapClient::Impl::worked(std::uint64_t messages) {
  moved += messages;
  if (moved <= config.max_moved) return true;
  beyond(fmt::format("more than {} messages that come, go and move in one mailbox", config.max_moved));
  return false;
}

void ImapClient::Impl::unreadable(const imap::LogicalLine& line, const imap::Response& r) {
  const bool untagged = line.text.starts_with('*');
  if (phase == Phase::greeting) return broken(fmt::format("this is no IMAP greeting: {}", r.problem));
  // One odd untagged response harms nobody; the reply we wait for, or bytes that are no response at all, do.
  // But for what tells which messages are gone: who cannot read that keeps them (RFC 7162 section 7).
  const bool vanished = istarts_with(line.text, "* VANISHED");
  if (vanished && r.beyond_bounds) return beyond(fmt::format("a VANISHED of more than {} octets", config.max_line));
  if (vanished) deviate("imap.vanished.unreadable", line.text);
  if (imap::is_unreadable_row(line, r)) deviate("imap.fetch.unreadable", r.problem);
  if (untagged && phase == Phase::ready) return;
  const std::string why = fmt::format("unreadable response: {}", r.problem);
  r.beyond_bounds ? beyond(why) : broken(why);
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
    case Kind::enabled:
      for (const std::string_view word : r.words) {
        utf8_enabled = utf8_enabled || iequals(word, "UTF8=ACCEPT") || iequals(word, "IMAP4rev2");
        qresync_enabled = qresync_enabled || iequals(word, "QRESYNC");
      }
      return;
    case Kind::unreadable:
    case Kind::id:
    case Kind::other:
      return;
  }
}

void ImapClient::Impl::status_response(const imap::Response& r) {
  if (r.status == imap::Status::bye) {
    bye_text = std::make_unique<std::string>(r.text);
    // The server closes now (RFC 9051 section 7.1.5); it gets this long for it.
    if (const ImapPending* command = oldest(); command == nullptr || command->verb != ImapVerb::logout)
      bye_at = now + config.greeting_bound;
    return;
  }
  if (r.code.is("INPROGRESS")) patience.progress(now);
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
  } else if (code.is("PERMANENTFLAGS")) {
    std::vector<std::string_view> flags;
    code.flags.for_each([&](std::string_view flag) { flags.push_back(flag); });
    view.permanent_flags = kept_once(flags);
  } else if (code.is("READ-ONLY")) {
    view.read_only = true;
  } else if (code.is("READ-WRITE")) {
    view.read_only = false;
  }
}

void ImapClient::Impl::copied(ImapPending& command, const imap::ResponseCode& code) {
  if (code.uidvalidity == 0) return;
  command.uidvalidity = code.uidvalidity;
  const std::uint64_t most = command.wanted.value_or(mailbox.view().exists);
  const auto usable = [most](const imap::SequenceSet& set) { return !set.has_star() && set.named() <= most; };
  if (!usable(code.source) || !usable(code.destination)) return deviate("imap.copyuid.unusable", code.arguments);
  command.source_uids = code.source;
  command.destination_uids = code.destination;
}

void ImapClient::Impl::exists(std::uint32_t n) {
  if (n > ImapMailboxView::max_messages)
    return beyond(
        fmt::format("the server claims a mailbox of {} messages; {} are followed", n, ImapMailboxView::max_messages));
  mailbox.select_answering();
  if (!mailbox.in_mailbox()) return deviate("imap.unselected.data", last_line);
  std::uint32_t before = 0;
  if (const auto code = mailbox.exists(n, before); !code.empty()) deviate(code, last_line);
  sink.on_exists(n, before, now);
}

void ImapClient::Impl::expunge(std::uint32_t seq) {
  std::uint32_t uid = 0;
  if (const auto code = mailbox.expunge(seq, uid); !code.empty()) {
    deviate(code, last_line);
    return sink.on_expunge(seq, 0, now);
  }
  const std::size_t behind = mailbox.view().uids.size() - std::min<std::size_t>(mailbox.view().uids.size(), seq);
  if (!worked(1 + behind / moved_at_once)) return;
  sink.on_expunge(seq, uid, now);
}

void ImapClient::Impl::vanished(const imap::Response& r) {
  if (r.earlier) mailbox.select_answering();
  if (r.set.has_star()) return broken("a VANISHED that names messages by *");
  sink.on_vanished(r.set, r.earlier, now);
  if (r.earlier || phase == Phase::over) return;
  const std::size_t looked_through = mailbox.view().uids.size();
  const ImapMailboxView::Vanished& gone = mailbox.vanished(r.set);
  if (gone.known.size() + gone.behind < r.set.named()) deviate("imap.vanished.unknown_uid", last_line);
  if (!worked(gone.known.size() + gone.behind + looked_through / moved_at_once)) return;
  for (const auto& [seq, uid] : gone.known) {
    sink.on_expunge(seq, uid, now);
    if (phase == Phase::over || kept_too_much()) return;
  }
  for (std::uint32_t i = 0; i < gone.behind; ++i) {
    sink.on_expunge(gone.seq_behind, 0, now);
    if (phase == Phase::over || kept_too_much()) return;
  }
}

void ImapClient::Impl::fetch(const imap::Response& r) {
  const imap::FetchData& data = r.fetch;
  auto& [response, flag_views, content_text, line, envelope, structure, row] = *scratch;
  row.seq = r.number;
  row.uid = data.uid;
  if (const auto code = mailbox.fetched(r.number, row.uid); !code.empty()) deviate(code, last_line);
  row.flags.reset();
  if (data.has_flags) {
    flag_views.clear();
    data.flags.for_each([&views = flag_views](std::string_view flag) { views.push_back(flag); });
    row.flags = std::move(flag_views);
  }
  row.size = data.size;
  row.modseq = data.modseq;
  row.internaldate = data.internaldate.raw();
  row.envelope = self_contained(*line, data.envelope, envelope);
  row.bodystructure = self_contained(*line, data.bodystructure, structure);
  row.has_content = !data.sections.empty();
  row.content_nil = false;
  row.section = {};
  row.origin.reset();
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
    row.origin = part.origin;
    row.content_nil = part.content.is_nil();
    row.content_size = part.content.literal() != nullptr ? part.content.size() : content_text.size();
  }
  if (row.content_nil) row.content_size = 0;
  sink.on_fetch(row, now);
  if (row.flags) flag_views = std::move(*row.flags);
}

/// RFC 6855 section 3 where UTF8=ACCEPT was enabled, RFC 9051 section 5.1 where nothing else is spoken.
bool ImapClient::Impl::names_are_utf8() const { return utf8_enabled || (has("IMAP4rev2") && !has("IMAP4rev1")); }

void ImapClient::Impl::put_mailbox(ImapPending& command, std::string_view wire_name) const {
  if (!imap::same_in_utf7(wire_name) && names_are_utf8())
    command.writer->utf8_mailbox(wire_name);
  else
    command.writer->mailbox(wire_name);
}

std::string ImapClient::Impl::mailbox_name(const imap::Text& name) {
  std::string raw = name.text();
  if (imap::same_in_utf7(raw) || names_are_utf8()) return people_name(std::move(raw));
  auto decoded = imap::decode_utf7(raw);
  if (decoded) return people_name(std::move(*decoded));
  deviate("imap.mailbox.utf7", raw);
  return raw;
}

void ImapClient::Impl::list(const imap::Response& r) {
  const std::string name = mailbox_name(r.list.mailbox);
  const std::string old_name = r.list.old_name ? mailbox_name(*r.list.old_name) : std::string();
  ImapListRow listed;
  listed.name = name;
  listed.old_name = old_name;
  listed.separator = peoples_separator(r.list.separator, name);
  listed.attributes = r.list.attributes;
  listed.subscribed = r.kind == Kind::lsub;
  sink.on_list(listed, now);
}

void ImapClient::Impl::mailbox_status(const imap::Response& r) {
  const std::string name = mailbox_name(r.mailbox);
  for (const imap::StatusItem& item : r.items)
    if (item.is_number) sink.on_status(name, item.name, item.value, now);
}

void ImapClient::Impl::esearch(const imap::Response& r) {
  const imap::SequenceSet& all = r.esearch.all;
  if (all.has_star()) return broken("an ESEARCH that names messages by *");
  if (all.named() > most_named) return beyond(fmt::format("an ESEARCH of more than {} messages", most_named));
  sink.on_search(all, now);
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
