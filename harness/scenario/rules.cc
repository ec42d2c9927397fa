#include <fmt/format.h>

#include "scenario/story/steps.h"

namespace mailproof::scenario {
namespace {

constexpr Duration kDefaultWithin = std::chrono::seconds(10);

class Settling {
 public:
  Settling(const VerbRule& rule, const Node* action, const Node& node, Context& context, Step& step)
      : rule_(rule), action_(action), node_(node), context_(context), step_(step) {}

  void run() {
    for (const auto& option : split_words(rule_.required))
      if (!has(option)) context_.complaints.value(node_, fmt::format("{}: beside {}:", option, rule_.word));
    switch (step_.verb) {
      case Verb::deliver:
      case Verb::retry:
        return delivery();
      case Verb::see:
        needs_imap("in", "POP3 has one mailbox");
        needs_imap("flags", "POP3 has none");
        return default_within();
      case Verb::lose:
        return default_within();
      case Verb::flag:
      case Verb::unflag:
        if (!has("with")) step_.flags = {"\\Flagged"};
        return;
      case Verb::remove:
        return needs_imap("how", "POP3 has one way to delete");
      case Verb::save:
      case Verb::upload:
      case Verb::quota:
      case Verb::agree:
        default_mailbox();
        return agreement();
      case Verb::count:
        default_mailbox();
        if (!has("of")) step_.account = the_only_account("of");
        return;
      case Verb::go:
        if (!step_.online) without("resync", "go: online");
        return;
      case Verb::fate:
        return fate();
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
  void default_within() {
    if (!has("within")) step_.within = kDefaultWithin;
  }
  void default_mailbox() {
    if (step_.mailbox.empty()) step_.mailbox = "INBOX";
  }
  std::optional<std::size_t> the_only_account(std::string_view name) {
    const auto only = context_.only_account();
    if (!only && !context_.scenario.accounts.empty())
      context_.complaints.value(node_, fmt::format("{}: and an account, the scenario has {} of them", name,
                                                   context_.scenario.accounts.size()));
    return only;
  }

  void delivery() {
    default_within();
    if (step_.verb == Verb::deliver && !has("to"))
      if (const auto only = the_only_account("to")) step_.to_accounts = {*only};
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
    if (step_.expect == Outcome::accepted) without("status", "an outcome other than accepted");
    const Way way = step_.via.value_or(device().way);
    const bool altered_by_smtp = step_.kind != MessageKind::plain && step_.kind != MessageKind::office &&
                                 step_.kind != MessageKind::dot_lines && step_.kind != MessageKind::header_only;
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

  void agreement() {
    if (step_.verb != Verb::agree) return;
    const Node& object = *option("agree");
    if (object.children.size() < 2) return context_.complaints.value(object, "a list of two or more devices");
    for (std::size_t index : step_.devices) {
      const Device& one = context_.scenario.devices[index];
      const Device& first = context_.scenario.devices[step_.devices.front()];
      if (one.kind == DeviceKind::deliverer || one.account != first.account)
        return context_.complaints.value(object, "devices that read mail, all of one account");
    }
  }

  void fate() {
    for (const auto& [name, index] : {std::pair("by", step_.by), std::pair("copy_on", step_.copy_on)})
      if (index && context_.scenario.devices[*index].kind == DeviceKind::deliverer)
        context_.complaints.value(*option(name), "a device that reads mail");
    if (!step_.by || !step_.over) return;
    const Device& by = context_.scenario.devices[*step_.by];
    const Protocol spoken = by.kind == DeviceKind::pop3 ? Protocol::pop3 : Protocol::imap;
    if (by.kind != DeviceKind::deliverer && *step_.over != spoken)
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
