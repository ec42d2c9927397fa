#include "cli/history_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace mailproof::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using history::Type;
using history::What;

template <class Enum, int Count>
Enum by_name(const std::string& text) {
  static const auto names = [] {
    std::map<std::string, Enum, std::less<>> all;
    for (int i = 0; i < Count; ++i) all.emplace(name(static_cast<Enum>(i)), static_cast<Enum>(i));
    return all;
  }();
  const auto found = names.find(text);
  if (found == names.end()) throw std::runtime_error("unknown word '" + text + "'");
  return found->second;
}

std::uint64_t hex_of(const json& object, const char* key) {
  const std::string text = object.value(key, std::string());
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

Protocol protocol_of(const std::string& text) {
  for (const Protocol protocol : {Protocol::imap, Protocol::pop3, Protocol::smtp, Protocol::lmtp})
    if (name(protocol) == text) return protocol;
  throw std::runtime_error("unknown protocol '" + text + "'");
}

void read_info(const json& from, history::HistoryInfo& info) {
  info.scenario = from.value("scenario", "");
  info.title = from.value("title", "");
  info.scenario_hash = hex_of(from, "scenario_hash");
  info.run_seed = hex_of(from, "run_seed");
  info.seed = hex_of(from, "seed");
  info.copy = from.value("copy", 0U);
  info.target = from.value("target", "");
  info.version = from.value("version", "");
  info.settle = Duration(from.value("settle", std::int64_t{0}));
  info.patience = from.value("patience", 1.0);
  info.simulated = from.value("simulated", false);
  info.load = from.value("load", false);
  if (from.contains("check")) {
    const json& check = from.at("check");
    info.check = {check.value("level", ""), check.value("harm", ""), check.value("talk", false),
                  check.value("requirement", "")};
  }
  if (from.contains("customers"))
    for (const auto& customer : from.at("customers"))
      info.customers.push_back({customer.value("name", ""), customer.value("quota", std::uint64_t{0})});
  for (const auto& account : from.at("accounts")) {
    history::AccountInfo one{account.value("name", ""), account.value("login", ""), account.value("address", ""),
                             std::nullopt, account.value("customer", 0U)};
    if (account.contains("quota")) one.quota = account.at("quota").get<std::uint64_t>();
    info.accounts.push_back(std::move(one));
  }
  for (const auto& device : from.at("devices"))
    info.devices.push_back({device.value("name", ""), static_cast<history::DeviceKind>(device.value("kind", 0)),
                            device.value("account", 0U), device.value("policy", "")});
  for (const auto& step : from.at("steps")) info.steps.push_back(step.get<std::string>());
}

void read_event(const json& from, history::History& history) {
  history::Event e;
  e.at = Time(Duration(from.value("t", std::int64_t{0})));
  e.type = by_name<Type, static_cast<int>(Type::expect) + 1>(from.value("type", ""));
  e.what = by_name<What, static_cast<int>(What::problem) + 1>(from.value("what", ""));
  e.session = from.value("session", 0U);
  e.command = from.value("command", 0U);
  e.step = from.value("step", 0U);
  e.message = from.value("message", 0U);
  e.account = from.value("account", 0U);
  e.uidvalidity = from.value("uidvalidity", 0U);
  e.uid = from.value("uid", 0U);
  e.seq = from.value("seq", 0U);
  e.size = from.value("size", std::uint64_t{0});
  e.modseq = from.value("modseq", std::uint64_t{0});
  e.hash = hex_of(from, "hash");
  e.mailbox = from.value("mailbox", "");
  e.other_mailbox = from.value("other_mailbox", "");
  e.set = from.value("set", "");
  e.other_set = from.value("other_set", "");
  e.has_flags = from.value("has_flags", false);
  e.flags = from.value("flags", "");
  e.code = from.value("code", "");
  e.text = from.value("text", "");
  if (from.contains("raw"))
    e.raw = {from.at("raw").at(0).get<std::uint64_t>(), from.at("raw").at(1).get<std::uint32_t>()};
  const bool in_range = e.session <= history.sessions().size() && e.message <= history.messages().size() &&
                        e.account <= history.info.accounts.size() && e.command <= history.events().size() + 1;
  if (!in_range) throw std::runtime_error("an event refers to what is not there");
  history.append(std::move(e));
}

void read_line(const std::string& line, ReadRun& out) {
  const json object = json::parse(line);
  if (object.contains("run")) {
    out.marked = true;
    if (object.at("run").contains("histories")) out.expected = object.at("run").at("histories").get<std::size_t>();
    return;
  }
  if (object.contains("history")) {
    out.histories.push_back({std::make_unique<history::History>()});
    return read_info(object.at("history"), out.histories.back().history->info);
  }
  if (out.histories.empty()) throw std::runtime_error("the file does not begin with a history");
  history::History& history = *out.histories.back().history;
  if (object.contains("end")) {
    const json& end = object.at("end");
    out.histories.back().whole = end.value("events", std::size_t{0}) == history.events().size();
    out.histories.back().took = Duration(end.value("took", std::int64_t{0}));
  } else if (object.contains("session")) {
    const json& from = object.at("session");
    history::SessionInfo session{
        from.value("label", ""),   from.value("device", 0U), protocol_of(from.value("protocol", "")),
        from.value("account", 0U), from.value("audit", 0U),  from.value("endpoint", "")};
    if (session.device > history.info.devices.size() || session.account > history.info.accounts.size())
      throw std::runtime_error("a session refers to what is not there");
    history.add_session(std::move(session));
  } else if (object.contains("message")) {
    const json& from = object.at("message");
    history::MessageInfo message;
    message.set = from.value("set", "");
    message.index = from.value("index", 0U);
    message.seed = hex_of(from, "seed");
    message.size = from.value("size", std::uint64_t{0});
    message.hash = hex_of(from, "hash");
    message.header_lines = from.value("header_lines", 0U);
    message.body_lines = from.value("body_lines", 0U);
    message.header_octets = from.value("header_octets", std::uint64_t{0});
    message.header_hash = hex_of(from, "header_hash");
    message.sender = from.value("sender", 0U);
    history.add_message(std::move(message));
  } else if (object.contains("event")) {
    read_event(object.at("event"), history);
  }
}

}  // namespace

Result<ReadRun> read_histories(const std::string& directory) {
  ReadRun out;
  const auto read = [&](const std::string& path) -> std::optional<Error> {
    std::ifstream in(path);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (in.eof()) break;  // a killed run's last line may be torn
      try {
        read_line(line, out);
      } catch (const std::exception& wrong) {
        return Error{fmt::format("{}:{}", path, number), wrong.what()};
      }
    }
    return std::nullopt;
  };
  const std::string joined = directory + "/history.jsonl";
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory + "/history", error))
    if (entry.path().extension() == ".jsonl") parts.push_back(entry.path().string());
  std::sort(parts.begin(), parts.end());
  if (!fs::exists(joined, error) && parts.empty())
    return Error{directory, "no history.jsonl in this directory: is it a run directory?"};
  if (auto wrong = read(joined)) return *wrong;
  // They are joined at the end, all at once: whoever was killed while he took the parts away has them twice.
  if (parts.empty() || (out.marked && !out.histories.empty())) return out;
  out.histories.clear();
  for (const auto& path : parts)
    if (auto wrong = read(path)) return *wrong;
  return out;
}

}  // namespace mailproof::cli
