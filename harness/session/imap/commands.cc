#include <fmt/format.h>

#include "session/imap/client.h"
#include "session/imap/client_impl.h"

namespace mailproof::session {
namespace {

/// How many messages a set asks for; nothing where that is the server's to say.
std::optional<std::uint64_t> asked_for(std::string_view set) {
  const auto parsed = imap::SequenceSet::parse(set, set.size());
  if (!parsed || parsed->has_star()) return std::nullopt;
  return parsed->named();
}

}  // namespace

// Each command is written here and queued; queue.cc decides when it goes out. After the end of the session every
// call returns 0.

CommandId ImapClient::select(std::string_view mailbox, bool examine) {
  ImapPending& c = impl_->prepare(examine ? "EXAMINE" : "SELECT", examine ? ImapVerb::examine : ImapVerb::select);
  c.mailbox = mailbox;
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

// select-param = "(" "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] ")" ")" (RFC 7162
// section 3.2.5)
CommandId ImapClient::select_qresync(std::string_view mailbox, std::uint32_t uidvalidity, std::uint64_t modseq,
                                     std::string_view known_uids) {
  ImapPending& c = impl_->prepare("SELECT", ImapVerb::select);
  c.mailbox = mailbox;
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  c.writer->raw(fmt::format("(QRESYNC ({} {}{}{}))", uidvalidity, modseq, known_uids.empty() ? "" : " ", known_uids));
  return impl_->enqueue(c);
}

CommandId ImapClient::unselect() {
  if (has("UNSELECT") || has("IMAP4rev2")) return impl_->enqueue(impl_->prepare("UNSELECT", ImapVerb::close));
  if (view().read_only) return close();
  // An EXAMINE that fails leaves no mailbox selected (RFC 9051 section 6.3.2), and nothing expunged.
  ImapPending& c = impl_->prepare("EXAMINE", ImapVerb::unselect);
  c.writer->astring("");
  return impl_->enqueue(c);
}

CommandId ImapClient::close() { return impl_->enqueue(impl_->prepare("CLOSE", ImapVerb::close)); }

CommandId ImapClient::enable(std::string_view capabilities) {
  ImapPending& c = impl_->prepare("ENABLE", ImapVerb::other);
  c.writer->raw(capabilities);
  return impl_->enqueue(c);
}

CommandId ImapClient::id() {
  ImapPending& c = impl_->prepare("ID", ImapVerb::other);
  c.writer->raw("(\"name\" \"mailproof\")");
  return impl_->enqueue(c);
}

CommandId ImapClient::noop() { return impl_->enqueue(impl_->prepare("NOOP", ImapVerb::other)); }
CommandId ImapClient::capability() { return impl_->enqueue(impl_->prepare("CAPABILITY", ImapVerb::other)); }
CommandId ImapClient::check() { return impl_->enqueue(impl_->prepare("CHECK", ImapVerb::other)); }
CommandId ImapClient::idle() { return impl_->enqueue(impl_->prepare("IDLE", ImapVerb::idle)); }
void ImapClient::finish_idle() { impl_->finish_idle(); }

CommandId ImapClient::uid_fetch(std::string_view set, std::string_view items) {
  ImapPending& c = impl_->prepare("UID FETCH", ImapVerb::other);
  c.writer->raw(set);
  c.writer->raw(items);
  return impl_->enqueue(c);
}

CommandId ImapClient::fetch(std::string_view set, std::string_view items) {
  ImapPending& c = impl_->prepare("FETCH", ImapVerb::other);
  c.writer->raw(set);
  c.writer->raw(items);
  return impl_->enqueue(c);
}

CommandId ImapClient::uid_store(std::string_view set, std::string_view action, std::span<const std::string> flags) {
  ImapPending& c = impl_->prepare("UID STORE", ImapVerb::other);
  c.writer->raw(set);
  c.writer->raw(action);
  c.writer->flag_list(flags);
  return impl_->enqueue(c);
}

CommandId ImapClient::uid_copy(std::string_view set, std::string_view mailbox) {
  ImapPending& c = impl_->prepare("UID COPY", ImapVerb::other);
  c.wanted = asked_for(set);
  c.writer->raw(set);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::uid_move(std::string_view set, std::string_view mailbox) {
  ImapPending& c = impl_->prepare("UID MOVE", ImapVerb::move);
  c.wanted = asked_for(set);
  c.writer->raw(set);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::expunge() { return impl_->enqueue(impl_->prepare("EXPUNGE", ImapVerb::other)); }

CommandId ImapClient::uid_expunge(std::string_view set) {
  ImapPending& c = impl_->prepare("UID EXPUNGE", ImapVerb::other);
  c.writer->raw(set);
  return impl_->enqueue(c);
}

CommandId ImapClient::uid_search(std::string_view query) {
  ImapPending& c = impl_->prepare("UID SEARCH", ImapVerb::other);
  c.writer->raw(query);
  return impl_->enqueue(c);
}

CommandId ImapClient::append(std::string_view mailbox, std::span<const std::string> flags,
                             std::shared_ptr<const std::string> message) {
  ImapPending& c = impl_->prepare("APPEND", ImapVerb::other);
  c.wanted = 1;
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  if (!flags.empty()) c.writer->flag_list(flags);
  c.writer->literal(std::move(message));
  return impl_->enqueue(c);
}

CommandId ImapClient::create(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("CREATE", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::remove(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("DELETE", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::rename(std::string_view from, std::string_view to) {
  ImapPending& c = impl_->prepare("RENAME", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(from));
  impl_->put_mailbox(c, impl_->wire_name(to));
  return impl_->enqueue(c);
}

CommandId ImapClient::subscribe(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("SUBSCRIBE", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::unsubscribe(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("UNSUBSCRIBE", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::list(std::string_view reference, std::string_view pattern) {
  ImapPending& c = impl_->prepare("LIST", ImapVerb::other);
  impl_->put_mailbox(c, reference);
  c.writer->list_mailbox(pattern);
  return impl_->enqueue(c);
}

CommandId ImapClient::list_extended(std::string_view selection, std::string_view reference, std::string_view pattern,
                                    std::string_view returns) {
  ImapPending& c = impl_->prepare("LIST", ImapVerb::other);
  if (!selection.empty()) c.writer->raw(selection);
  impl_->put_mailbox(c, reference);
  c.writer->list_mailbox(pattern);
  if (!returns.empty()) {
    c.writer->raw("RETURN");
    c.writer->raw(returns);
  }
  return impl_->enqueue(c);
}

CommandId ImapClient::my_rights(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("MYRIGHTS", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::lsub(std::string_view reference, std::string_view pattern) {
  ImapPending& c = impl_->prepare("LSUB", ImapVerb::other);
  impl_->put_mailbox(c, reference);
  c.writer->list_mailbox(pattern);
  return impl_->enqueue(c);
}

CommandId ImapClient::status(std::string_view mailbox, std::string_view items) {
  ImapPending& c = impl_->prepare("STATUS", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  c.writer->raw(items);
  return impl_->enqueue(c);
}

CommandId ImapClient::get_quota_root(std::string_view mailbox) {
  ImapPending& c = impl_->prepare("GETQUOTAROOT", ImapVerb::other);
  impl_->put_mailbox(c, impl_->wire_name(mailbox));
  return impl_->enqueue(c);
}

CommandId ImapClient::logout() { return impl_->enqueue(impl_->prepare("LOGOUT", ImapVerb::logout)); }

}  // namespace mailproof::session
