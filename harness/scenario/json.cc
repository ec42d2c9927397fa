#include <fmt/format.h>

#include "scenario/plan/profile.h"
#include "scenario/story/words.h"
#include "scenario/yaml/json_writer.h"

namespace mailproof::scenario {
namespace {

class ScenarioWriter {
 public:
  explicit ScenarioWriter(const Scenario& scenario) : scenario_(scenario) {}

  std::string run() {
    json_.begin_object();
    text("id", scenario_.id);
    text("path", scenario_.path);
    text("title", scenario_.title);
    text("why", scenario_.why);
    texts("refs", scenario_.refs);
    texts("tags", scenario_.tags);
    json_.key("needs").begin_array();
    for (Need need : scenario_.needs) json_.text(name(need));
    if (!scenario_.customers.empty()) {
      json_.end_array().key("customers").begin_array();
      for (const auto& customer : scenario_.customers) write(customer);
    }
    json_.end_array().key("accounts").begin_array();
    for (const auto& account : scenario_.accounts) write(account);
    json_.end_array().key("devices").begin_array();
    for (const auto& device : scenario_.devices) write(device);
    json_.end_array().key("steps").begin_array();
    for (const auto& step : scenario_.steps) write(step);
    json_.end_array();
    if (scenario_.check) write(*scenario_.check);
    text("hash", fmt::format("{:016x}", scenario_.hash));
    json_.end_object();
    return json_.take();
  }

 private:
  void text(std::string_view key, std::string_view value) { json_.key(key).text(value); }
  /// Only where there is something to say.
  void maybe(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void maybe(std::string_view key, const std::optional<Duration>& value) {
    if (value) text(key, format_duration(*value));
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    json_.key(key).begin_array();
    for (const auto& value : values) json_.text(value);
    json_.end_array();
  }
  void write(const Check& check) {
    json_.key("check").begin_object();
    text("level", name(check.level));
    maybe("harm", check.harm == Harm::none ? std::string_view() : name(check.harm));
    maybe("note", check.note);
    maybe("rule", check.rule);
    texts("when", check.when);
    texts("unless", check.unless);
    texts("allow", check.allow);
    json_.key("talk").begin_array();
    for (const auto& line : check.talk) {
      json_.text(line.written);
      for (const auto& inside : line.block) json_.text(inside.written);
    }
    json_.end_array();
    json_.end_object();
  }
  const std::string& account(std::size_t index) const { return scenario_.accounts[index].name; }
  const std::string& device(std::size_t index) const { return scenario_.devices[index].name; }

  static std::string described(const AfterDownload& after) {
    if (after.policy == AfterDownload::Policy::remove_after) return "delete after " + format_duration(after.age);
    return std::string(word_for(kAfterDownload, after.policy));
  }

  void write(const Account& one) {
    json_.begin_object();
    text("name", one.name);
    if (one.quota) json_.key("quota").number(*one.quota);
    if (one.customer) text("customer", scenario_.customers[*one.customer].name);
    json_.end_object();
  }

  void write(const Customer& one) {
    json_.begin_object();
    text("name", one.name);
    json_.key("quota").number(one.quota);
    json_.end_object();
  }

  void write(const Device& one) {
    json_.begin_object();
    text("name", one.name);
    if (one.kind == DeviceKind::deliverer) {
      text("delivers", name(one.way));
      if (one.from) text("from", account(*one.from));
    } else {
      text(word_for(kDeviceKinds, one.kind), account(one.account));
    }
    maybe("idle", one.idle);
    if (one.profile != nullptr) text("profile", one.profile->name);
    if (one.webmail) text("kind", "webmail");
    if (one.kind == DeviceKind::pop3) text("after_download", described(one.after));
    if (one.tls) text("tls", word_for(kTlsModes, *one.tls));
    json_.end_object();
  }

  void write(const Step& step) {
    json_.begin_object();
    json_.key("line").number(step.pos.line).key("column").number(step.pos.column);
    text("text", step.text);
    if (step.device < scenario_.devices.size()) text("device", device(step.device));
    text("verb", name(step.verb));
    if (step.times != 1) json_.key("times").number(step.times);
    taken(step.cut);
    if (step.verb == Verb::together) {
      json_.key("together").begin_array();
      for (const auto& child : step.together) write(child);
      json_.end_array();
    }
    std::visit([this](const auto& takes) { taken(takes); }, step.takes);
    json_.end_object();
  }

  void accounts(std::string_view key, const std::vector<std::size_t>& indexes) {
    if (indexes.empty()) return;
    json_.key(key).begin_array();
    for (auto index : indexes) json_.text(account(index));
    json_.end_array();
  }
  void taken(const NewMessages& made, bool counted) {
    if (counted) json_.key("count").number(made.count);
    text("kind", word_for(kMessageKinds, made.kind));
    if (made.size > 0) json_.key("size").number(made.size);
    if (!made.mime.empty()) text("mime", made.mime);
    maybe("subject", made.subject);
    if (made.letter != nullptr) json_.key("letter").number(made.letter->fields.size() + made.letter->body.size());
  }
  void taken(const Cut& cut) {
    if (cut.when == Cut::When::after_bytes) text("cut", fmt::format("after {} bytes", cut.bytes));
    if (cut.when != Cut::When::none && cut.when != Cut::When::after_bytes) text("cut", word_for(kCuts, cut.when));
  }

  void taken(const Nothing&) {}
  void taken(const OfMessages& takes) { text("messages", takes.messages.text()); }
  void taken(const Read& takes) {
    text("messages", takes.messages.text());
    if (takes.pieces != 0) json_.key("pieces").number(takes.pieces);
    maybe("mailbox", takes.mailbox);
  }
  void taken(const OfNames& takes) { texts("names", takes.names); }
  void by(Transfer transfer) {
    if (transfer != Transfer::data) text("by", word_for(kTransfers, transfer));
  }
  void taken(const Deliver& takes) {
    text("messages", takes.set);
    taken(takes, !takes.until);
    accounts("to", takes.to);
    if (takes.via) text("via", name(*takes.via));
    by(takes.by);
    if (takes.expect) text("expect", name(*takes.expect));
    if (takes.until) {
      text("until", name(*takes.until));
      json_.key("at_most").number(takes.at_most);
    }
    maybe("status", takes.status);
    maybe("latitude", takes.latitude);
    text("within", format_duration(takes.within));
    maybe("settle", takes.settle);
    taken(takes.cut);
  }
  void taken(const Retry& takes) {
    text("messages", takes.messages.text());
    if (takes.via) text("via", name(*takes.via));
    by(takes.by);
    if (takes.expect) text("expect", name(*takes.expect));
    maybe("status", takes.status);
    text("within", format_duration(takes.within));
  }
  void taken(const OfMailbox& takes) { maybe("mailbox", takes.mailbox); }
  void taken(const Rename& takes) {
    text("mailbox", takes.mailbox);
    text("to_mailbox", takes.to);
  }
  void taken(const Await& takes) {
    text("messages", takes.messages.text());
    if (!takes.flags.empty()) texts("flags", takes.flags);
    maybe("mailbox", takes.mailbox);
    text("within", format_duration(takes.within));
    if (takes.stays != Duration{}) text("for", format_duration(takes.stays));
  }
  void taken(const Flag& takes) {
    text("messages", takes.messages.text());
    texts("flags", takes.flags);
    maybe("mailbox", takes.mailbox);
  }
  void taken(const Delete& takes) {
    text("messages", takes.messages.text());
    text("how", word_for(kHows, takes.how));
    maybe("mailbox", takes.mailbox);
  }
  void taken(const Move& takes) {
    text("messages", takes.messages.text());
    text("to_mailbox", takes.to);
    maybe("mailbox", takes.mailbox);
  }
  void taken(const Save& takes) {
    text("messages", takes.set);
    text("as", takes.set);
    taken(takes, true);
    text("mailbox", takes.to);
  }
  void taken(const Upload& takes) {
    text("messages", takes.messages.text());
    text("mailbox", takes.to);
  }
  void taken(const Search& takes) {
    if (takes.finds) text("messages", takes.finds->text());
    text("search", takes.keys);
    maybe("mailbox", takes.mailbox);
  }
  void taken(const Go& takes) {
    text("go", takes.online ? "online" : "offline");
    if (takes.online) text("resync", word_for(kResyncs, takes.resync));
  }
  void taken(const Connect& takes) {
    text("expect", word_for(kWelcomes, takes.expect));
    if (takes.plaintext) json_.key("plaintext").flag(true);
  }
  void taken(const Smuggle& takes) { text("smuggle", takes.command); }
  void taken(const Download& takes) {
    switch (takes.which) {
      case Download::Which::named:
        text("messages", takes.messages.text());
        break;
      case Download::Which::fresh:
        text("messages", "new");
        break;
      case Download::Which::all:
        text("messages", "all");
        break;
    }
    maybe("as", takes.as);
    if (takes.after) text("after", described(*takes.after));
  }
  void taken(const Quit& takes) { taken(takes.cut); }
  void taken(const LetPass& takes) { text("span", format_duration(takes.span)); }
  void taken(const SetQuota& takes) {
    if (takes.account) text("account", account(*takes.account));
    if (takes.customer) text("customer", scenario_.customers[*takes.customer].name);
    if (takes.quota)
      json_.key("quota").number(*takes.quota);
    else
      text("quota", "unlimited");
  }
  void taken(const HasFate& takes) {
    text("messages", takes.messages.text());
    text("is", name(takes.is));
    if (takes.by) text("by", device(*takes.by));
    if (takes.over) text("over", name(*takes.over));
    if (takes.copy_on) text("copy_on", device(*takes.copy_on));
    if (takes.copy_on_nobody) text("copy_on", "nobody");
  }
  void taken(const HasCount& takes) {
    json_.key("count").number(takes.count);
    text("mailbox", takes.mailbox);
    if (takes.account) text("account", account(*takes.account));
  }
  void taken(const Agree& takes) {
    text("mailbox", takes.mailbox);
    json_.key("devices").begin_array();
    for (auto index : takes.devices) json_.text(device(index));
    json_.end_array();
  }
  void taken(const Usage& takes) { text("account", account(takes.account)); }

  const Scenario& scenario_;
  JsonWriter json_;
};

}  // namespace

std::string to_json(const Scenario& scenario) { return ScenarioWriter(scenario).run(); }

}  // namespace mailproof::scenario
