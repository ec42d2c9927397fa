#include "session/smtp/client.h"

#include "session/smtp/impl.h"

namespace mailproof::session {

SmtpClient::SmtpClient(ClientConfig config, std::string helo, SmtpSink& sink)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(helo), sink)) {}
SmtpClient::~SmtpClient() = default;

CommandId SmtpClient::send(Envelope envelope, std::shared_ptr<const std::string> message) {
  return impl_->ask({0, false, std::move(envelope), std::move(message)});
}
CommandId SmtpClient::quit() { return impl_->ask({0, true, {}, {}}); }
void SmtpClient::give_up(std::string_view why) { impl_->give_up(why); }

bool SmtpClient::ready() const { return impl_->is_ready() && !impl_->asks_for_replies_; }
bool SmtpClient::busy() const { return !impl_->jobs_.empty(); }
bool SmtpClient::has(std::string_view extension) const { return impl_->extensions_.has(extension); }
const std::vector<std::string>& SmtpClient::extensions() const { return impl_->extension_lines_; }
std::uint64_t SmtpClient::received() const { return impl_->received(); }

void SmtpClient::attach(Waker* waker) { impl_->attach(waker); }
void SmtpClient::opened(Time now) { impl_->opened(now); }
void SmtpClient::feed(Bytes in, Time now) { impl_->feed(in, now); }
std::span<const Output> SmtpClient::output() { return impl_->output(); }
void SmtpClient::sent(std::size_t n, Time now) { impl_->sent(n, now); }
void SmtpClient::advance(Time now) { impl_->advance(now); }
std::optional<Time> SmtpClient::deadline() const { return impl_->deadline(); }
void SmtpClient::secured(const TlsFacts& facts, Time now) { impl_->secured(facts, now); }
void SmtpClient::ended(EndReason reason, std::string_view detail, Time now) { impl_->ended(reason, detail, now); }
Wants SmtpClient::wants() const { return impl_->wants(); }

}  // namespace mailproof::session
