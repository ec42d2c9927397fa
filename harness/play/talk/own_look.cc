#include "play/talk/own_look.h"

#include <fmt/format.h>

namespace mailproof::play {

OwnLook::OwnLook(Context& context, std::uint32_t account)
    : context_(context),
      account_(account),
      session_(context, 0, account, 0, *context.endpoint(Protocol::imap)),
      reader_(session_, MailboxReader::Bodies::left) {}

void OwnLook::look(const std::set<std::string>& mailboxes, Then then) {
  then_ = std::move(then);
  mailboxes_ = {mailboxes.begin(), mailboxes.end()};
  session_.open([this](const Completion& opened) {
    if (!opened.ok()) why_ = opened.text;
    one_by_one(
        mailboxes_.size(), [this](std::size_t i, Finish next) { look_into(mailboxes_[i], std::move(next)); },
        [this] { finish(); });
  });
}

void OwnLook::look_into(const std::string& mailbox, Finish next) {
  if (!why_.empty()) return next();
  reader_.open(mailbox, true, [this, mailbox, next = std::move(next)](bool ok) {
    const auto& view = session_.view();
    const auto all = ok ? session_.guard().all_ours(view.exists, view.uidnext) : std::nullopt;
    if (all) {
      looked_.emplace(mailbox, *all);
    } else if (const std::size_t foreign = ok ? reader_.foreign() : 0; foreign != 0) {
      why_ = fmt::format("{} of {} holds {} message{} of somebody else", mailbox, context_.accounts[account_ - 1].login,
                         foreign, foreign == 1 ? "" : "s");
    } else {
      why_ = fmt::format("{} of {} could not be looked into", mailbox, context_.accounts[account_ - 1].login);
    }
    next();
  });
}

/// Told before it logs out: each round trip between the look and what follows is time for somebody's mail to come in.
void OwnLook::finish() {
  if (const Then then = std::exchange(then_, {})) then(why_.empty() ? looked_ : decltype(looked_){}, why_);
  if (!session_.over()) session_.logout([](const Completion&) {});
}

}  // namespace mailproof::play
