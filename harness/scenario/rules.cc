#include <fmt/format.h>

#include <algorithm>

#include "scenario/story/steps.h"

namespace mailproof::scenario {
namespace {

class Settling {
 public:
  Settling(const VerbRule& rule, const Node* action, const Node& node, Context& context, Step& step)
      : rule_(rule), action_(action), node_(node), context_(context), step_(step) {}

  void run() {
    for (const auto& option : split_words(rule_.required))
      if (!has(option)) context_.complaints.value(node_, fmt::format("{}: beside {}:", option, rule_.word));
    switch (step_.verb) {
      case Verb::deliver:
        recipients(step_.get<Deliver>());
        letter(step_.get<NewMessages>());
        return delivery(step_.get<Sending>());
      case Verb::save:
        return letter(step_.get<NewMessages>());
      case Verb::retry:
        return delivery(step_.get<Sending>());
      case Verb::see:
        needs_imap("in", "POP3 has one mailbox");
        return needs_imap("flags", "POP3 has none");
      case Verb::remove:
        needs_imap("in", "POP3 has one mailbox");
        needs_imap("cut", "over POP3 it is QUIT that removes: {quit: now, cut: before-reply}");
        return needs_imap("how", "POP3 has one way to delete");
      case Verb::agree:
        return agreement(step_.get<Agree>());
      case Verb::count:
        if (!has("of")) step_.get<HasCount>().account = the_only_account("of");
        return;
      case Verb::go:
        if (!step_.get<Go>().online) without("resync", "go: online");
        return;
      case Verb::fate:
        return fate(step_.get<HasFate>());
      default:
        return;
    }
  }

 private:
  const Node* option(std::string_view name) const { return action_ == nullptr ? nullptr : find(*action_, name); }
  bool has(std::string_view name) const { return option(name) != nullptr; }
  const Device& device() const { return context_.scenario.devices[step_.device]; }

  /// Complains of an option that only makes sense with something else.
  void without(std::string_view name, std::string_view partner) {
    if (const Node* found = option(name))
      context_.complaints.key(*found, fmt::format("{}: only beside {}", name, partner));
  }
  std::optional<std::size_t> the_only_account(std::string_view name) {
    const auto only = context_.only_account();
    if (!only && !context_.scenario.accounts.empty())
      context_.complaints.value(node_, fmt::format("{}: and an account, the scenario has {} of them", name,
                                                   context_.scenario.accounts.size()));
    return only;
  }

  void recipients(Deliver& deliver) {
    if (has("to")) return;
    if (const auto only = the_only_account("to")) deliver.to = {*only};
  }

  /// A letter is what it is.
  void letter(const NewMessages& made) {
    if (!has("file")) return;
    for (std::string_view other : {"kind", "size"})
      if (const Node* found = option(other))
        context_.complaints.key(*found, fmt::format("{}: not beside file:, which says all", other));
    if (made.letter == nullptr || step_.verb != Verb::deliver) return;
    const auto eight_bit = [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; };
    if (step_.get<Sending>().via.value_or(device().way) == Way::smtp &&
        std::any_of(made.letter->body.begin(), made.letter->body.end(), eight_bit))
      context_.complaints.value(*option("file"), "a letter in ASCII over smtp; an MTA may change others on their way");
  }

  void delivery(const Sending& sending) {
    if (has("until")) {
      if (const Node* found = option("count"))
        context_.complaints.key(*found, "at_most: instead; until: decides how many");
      if (const Node* found = option("expect"))
        context_.complaints.key(*found, "until: alone; what is expected is that it happens");
      if (!has("at_most"))
        context_.complaints.value(*option("until"), "at_most: beside until:, every wait has a bound");
    } else {
      without("at_most", "until:");
      without("settle", "until:");
      if (!has("expect")) without("status", "expect: or until:");
      if (!has("expect")) without("latitude", "expect:");
    }
    if (sending.expect == Outcome::accepted) without("status", "an outcome other than accepted");
    const Way way = sending.via.value_or(device().way);
    const auto* made = step_.maybe<NewMessages>();
    const bool altered_by_smtp = made != nullptr && made->kind != MessageKind::plain &&
                                 made->kind != MessageKind::office && made->kind != MessageKind::dot_lines &&
                                 made->kind != MessageKind::header_only;
    if (way == Way::smtp && altered_by_smtp)
      context_.complaints.value(
          *option("kind"),
          "plain, office, dot-lines or header-only over smtp; an MTA may change the others on their way");
  }

  void needs_imap(std::string_view name, std::string_view why) {
    if (device().kind == DeviceKind::imap) return;
    if (const Node* found = option(name))
      context_.complaints.key(*found, fmt::format("{}: only on an IMAP device: {}", name, why));
  }

  void agreement(const Agree& agree) {
    const Node& object = *option("agree");
    if (object.children.size() < 2) return context_.complaints.value(object, "a list of two or more devices");
    for (std::size_t index : agree.devices) {
      const Device& one = context_.scenario.devices[index];
      const Device& first = context_.scenario.devices[agree.devices.front()];
      if (one.kind == DeviceKind::deliverer || one.account != first.account)
        return context_.complaints.value(object, "devices that read mail, all of one account");
    }
  }

  void fate(const HasFate& fate) {
    for (const auto& [name, index] : {std::pair("by", fate.by), std::pair("copy_on", fate.copy_on)})
      if (index && context_.scenario.devices[*index].kind == DeviceKind::deliverer)
        context_.complaints.value(*option(name), "a device that reads mail");
    if (!fate.by || !fate.over) return;
    const Device& by = context_.scenario.devices[*fate.by];
    const Protocol spoken = by.kind == DeviceKind::pop3 ? Protocol::pop3 : Protocol::imap;
    if (by.kind != DeviceKind::deliverer && *fate.over != spoken)
      context_.complaints.value(*option("over"), fmt::format("{}: that is what {} speaks", name(spoken), by.name));
  }

  const VerbRule& rule_;
  const Node* action_;
  const Node& node_;
  Context& context_;
  Step& step_;
};

}  // namespace

void settle_step(const VerbRule& rule, const Node* action, const Node& node, Context& context, Step& step) {
  Settling(rule, action, node, context, step).run();
}

}  // namespace mailproof::scenario
