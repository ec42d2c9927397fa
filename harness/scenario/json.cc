#include <fmt/format.h>

#include "core/units.h"
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
    if (step.verb == Verb::together) {
      json_.key("together").begin_array();
      for (const auto& child : step.together) write(child);
      json_.end_array();
    }
    about_messages(step);
    about_places(step);
    about_waiting(step);
    about_judging(step);
    about_logging_in(step);
    about_the_server(step);
    json_.end_object();
  }

  void about_messages(const Step& step) {
    if (step.messages) text("messages", step.messages->text());
    if (step.which != Step::Which::named) text("messages", step.which == Step::Which::all ? "all" : "new");
    maybe("as", step.as);
    const bool makes = step.verb == Verb::deliver || step.verb == Verb::save;
    if ((makes && !step.until) || step.verb == Verb::count) json_.key("count").number(step.count);
    if (makes) {
      text("kind", word_for(kMessageKinds, step.kind));
      if (step.size > 0) json_.key("size").number(step.size);
    }
    if (!step.flags.empty()) texts("flags", step.flags);
    if (step.verb == Verb::remove) text("how", word_for(kHows, step.how));
    if (step.after) text("after", described(*step.after));
    maybe(step.verb == Verb::smuggle ? "smuggle" : "search", step.query);
  }

  void about_places(const Step& step) {
    if (!step.to_accounts.empty()) {
      json_.key("to").begin_array();
      for (auto index : step.to_accounts) json_.text(account(index));
      json_.end_array();
    }
    maybe("mailbox", step.mailbox);
    maybe("to_mailbox", step.to_mailbox);
    if (step.verb == Verb::go) {
      text("go", step.online ? "online" : "offline");
      if (step.online) text("resync", word_for(kResyncs, step.resync));
    }
    if (step.via) text("via", name(*step.via));
  }

  void about_waiting(const Step& step) {
    if (step.expect) text("expect", name(*step.expect));
    if (step.until) {
      text("until", name(*step.until));
      json_.key("at_most").number(step.at_most);
    }
    maybe("status", step.status);
    maybe("latitude", step.latitude);
    maybe("within", step.within);
    maybe("settle", step.settle);
    if (step.cut.when == Cut::When::after_bytes) text("cut", fmt::format("after {} bytes", step.cut.bytes));
    if (step.cut.when != Cut::When::none && step.cut.when != Cut::When::after_bytes)
      text("cut", word_for(kCuts, step.cut.when));
  }

  void about_logging_in(const Step& step) {
    if (step.verb != Verb::connect) return;
    text("expect", word_for(kWelcomes, step.welcome));
    if (step.plaintext) json_.key("plaintext").flag(true);
  }

  void about_the_server(const Step& step) {
    if (step.span.count() > 0) text("span", format_duration(step.span));
    if (step.customer) text("customer", scenario_.customers[*step.customer].name);
    if (step.verb != Verb::set_quota) return;
    if (step.quota)
      json_.key("quota").number(*step.quota);
    else
      text("quota", "unlimited");
  }

  void about_judging(const Step& step) {
    if (step.verb == Verb::fate) text("is", name(step.fate));
    if (step.by) text("by", device(*step.by));
    if (step.over) text("over", name(*step.over));
    if (step.copy_on) text("copy_on", device(*step.copy_on));
    if (step.copy_on_nobody) text("copy_on", "nobody");
    if (step.account) text("account", account(*step.account));
    if (step.devices.empty()) return;
    json_.key("devices").begin_array();
    for (auto index : step.devices) json_.text(device(index));
    json_.end_array();
  }

  const Scenario& scenario_;
  JsonWriter json_;
};

}  // namespace

std::string to_json(const Scenario& scenario) { return ScenarioWriter(scenario).run(); }

}  // namespace mailproof::scenario
