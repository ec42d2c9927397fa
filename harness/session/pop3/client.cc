#include "session/pop3/client.h"

#include "session/pop3/impl.h"

namespace mailproof::session {

Pop3Client::Pop3Client(ClientConfig config, Pop3Sink& sink) : impl_(std::make_unique<Impl>(std::move(config), sink)) {}
Pop3Client::~Pop3Client() = default;

CommandId Pop3Client::stat() { return impl_->ask(Impl::Verb::stat); }
CommandId Pop3Client::list() { return impl_->ask(Impl::Verb::list); }
CommandId Pop3Client::list(std::uint32_t number) { return impl_->ask(Impl::Verb::list_one, number); }
CommandId Pop3Client::uidl() { return impl_->ask(Impl::Verb::uidl); }
CommandId Pop3Client::uidl(std::uint32_t number) { return impl_->ask(Impl::Verb::uidl_one, number); }
CommandId Pop3Client::retr(std::uint32_t number) { return impl_->ask(Impl::Verb::retr, number); }
CommandId Pop3Client::top(std::uint32_t number, std::uint32_t lines) {
  return impl_->ask(Impl::Verb::top, number, lines);
}
CommandId Pop3Client::dele(std::uint32_t number) { return impl_->ask(Impl::Verb::dele, number); }
CommandId Pop3Client::rset() { return impl_->ask(Impl::Verb::rset); }
CommandId Pop3Client::last() { return impl_->ask(Impl::Verb::last); }
CommandId Pop3Client::noop() { return impl_->ask(Impl::Verb::noop); }
CommandId Pop3Client::capa() { return impl_->ask(Impl::Verb::capa); }
CommandId Pop3Client::quit() { return impl_->ask(Impl::Verb::quit); }

void Pop3Client::pipelining(bool on) {
  impl_->pipelining_ = on;
  impl_->pump();
}
void Pop3Client::give_up(std::string_view why) { impl_->give_up(why); }

bool Pop3Client::ready() const { return impl_->is_ready(); }
bool Pop3Client::busy() const { return !impl_->queue_.empty(); }
bool Pop3Client::has(std::string_view capability) const {
  if (!impl_->capa_known_) return capability == "TOP" || capability == "UIDL" || capability == "USER";
  return impl_->capabilities_.has(capability);
}
const std::vector<std::string>& Pop3Client::capabilities() const { return impl_->capability_lines_; }
std::uint64_t Pop3Client::received() const { return impl_->received(); }

void Pop3Client::attach(Waker* waker) { impl_->attach(waker); }
void Pop3Client::opened(Time now) { impl_->opened(now); }
void Pop3Client::feed(Bytes in, Time now) { impl_->feed(in, now); }
std::span<const Output> Pop3Client::output() { return impl_->output(); }
void Pop3Client::sent(std::size_t n, Time now) { impl_->sent(n, now); }
void Pop3Client::advance(Time now) { impl_->advance(now); }
std::optional<Time> Pop3Client::deadline() const { return impl_->deadline(); }
void Pop3Client::secured(const TlsFacts& facts, Time now) { impl_->secured(facts, now); }
void Pop3Client::ended(EndReason reason, std::string_view detail, Time now) { impl_->ended(reason, detail, now); }
Wants Pop3Client::wants() const { return impl_->wants(); }

}  // namespace mailproof::session
