#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "archive/run_directory.h"
#include "core/json_text.h"
#include "load/stats_json.h"
#include "scenario/yaml/files.h"

namespace mailproof::load {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t number(const Json& json, const char* key) { return json.at(key).get<std::uint64_t>(); }

template <class Enum>
Enum named(const std::string& text, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (judge::name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  throw std::runtime_error(fmt::format("'{}' is no verdict and no severity", text));
}

stats::Histogram read_histogram(const Json& json) {
  stats::Histogram::State state;
  state.below = json.value("below", std::uint64_t{0});
  state.above = json.value("above", std::uint64_t{0});
  state.min = Duration(json.at("min_ns").get<Duration::rep>());
  state.max = Duration(json.at("max_ns").get<Duration::rep>());
  state.sum = json.at("sum_ns").get<std::string>();
  for (const Json& bucket : json.at("buckets"))
    state.buckets.emplace_back(Duration(bucket.at(0).get<Duration::rep>()), bucket.at(2).get<std::uint64_t>());
  auto out = stats::Histogram::of(state);
  if (!out || out->count() != number(json, "count")) throw std::runtime_error("a histogram does not add up");
  return std::move(*out);
}

stats::Slices read_slices(const Json& json) {
  const Json& response = json.at("response");
  std::vector<stats::Slice> cells(response.size());
  const auto column = [&](const char* name, std::uint64_t stats::Slice::*field) {
    const Json& values = json.at(name);
    if (values.size() != cells.size()) throw std::runtime_error("columns of slices have unequal lengths");
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i].*field = values[i].get<std::uint64_t>();
  };
  column("due", &stats::Slice::due);
  column("started", &stats::Slice::started);
  column("ok", &stats::Slice::ok);
  column("fail", &stats::Slice::fail);
  column("info", &stats::Slice::info);
  column("unserved", &stats::Slice::unserved);
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (std::size_t k = 0; k + 1 < response[i].size(); k += 2)
      if (!cells[i].response.add_to(response[i][k].get<std::uint64_t>(), response[i][k + 1].get<std::uint64_t>()))
        throw std::runtime_error("a slice has a bucket that there is not");
  stats::Slices out;
  if (!out.restore(json.at("seconds").get<std::uint32_t>(), std::move(cells)))
    throw std::runtime_error("slices of a width that there is not");
  return out;
}

void read_operations(const Json& json, stats::Operations& into) {
  for (const auto& [name, one] : json.items()) {
    stats::Operation& op = into.at(into.id(name));
    op.intended = number(one, "intended");
    op.started = number(one, "started");
    op.ok = number(one, "ok");
    op.fail = number(one, "fail");
    op.info = number(one, "info");
    op.timed_out = one.value("timed_out", std::uint64_t{0});  // older ones left them out of the times
    for (const auto& [error, times] : one.at("errors").items()) op.errors[error] = times.get<std::uint64_t>();
    op.response = read_histogram(one.at("response"));
    op.service = read_histogram(one.at("service"));
    op.lateness = read_histogram(one.at("lateness"));
    op.slices = read_slices(one.at("slices"));
    if (!one.contains("measured")) continue;  // of a run of stories, or an older one
    op.measured.ok = number(one.at("measured"), "ok");
    op.measured.due = one.at("measured").value("due", std::uint64_t{0});  // older ones did not tell it, ...
    op.measured.done = one.at("measured").value("done", op.measured.ok);  // ... and took this for that
    op.measured.response = read_histogram(one.at("measured").at("response"));
  }
}

void read_octets(const Json& json, stats::Operations& into) {
  const Json &in = json.at("in"), &out = json.at("out");
  std::vector<stats::Octets> cells(in.size());
  for (std::size_t i = 0; i < cells.size(); ++i)
    cells[i] = {in[i].get<std::uint64_t>(), out.at(i).get<std::uint64_t>()};
  if (!into.octets().restore(json.at("seconds").get<std::uint32_t>(), std::move(cells)))
    throw std::runtime_error("slices of a width that there is not");
}

void read_gauges(const Json& json, stats::Operations& into) {
  for (const auto& [name, one] : json.items()) {
    std::vector<stats::Level> cells;
    for (const Json& area : one.at("area_ns")) cells.push_back({area.get<std::uint64_t>()});
    if (!into.gauge(name).levels().restore(one.at("seconds").get<std::uint32_t>(), std::move(cells)))
      throw std::runtime_error("slices of a width that there is not");
  }
}

StoryTotals read_totals(const Json& json) {
  StoryTotals out;
  const Json& ledger = json.at("ledger");
  out.ledger.copies = number(ledger, "copies");
  out.ledger.sent = number(ledger, "sent");
  out.ledger.accepted = number(ledger, "accepted");
  out.ledger.refused = number(ledger, "refused");
  out.ledger.unknown = number(ledger, "unknown");
  if (ledger.contains("by_customers")) {  // older ones have none
    out.ledger.by_customers = number(ledger, "by_customers");
    out.ledger.saved = number(ledger, "saved");
  }
  out.ledger.unsent = ledger.value("unsent", std::uint64_t{0});
  out.ledger.unexplained = number(ledger, "unexplained");
  for (const auto& [fate, count] : ledger.at("fates").items()) out.ledger.fates[fate] = count.get<std::uint64_t>();
  for (const auto& [verdict, count] : json.at("verdicts").items()) out.verdicts[verdict] = count.get<std::uint64_t>();
  out.unserved = number(json, "unserved");
  out.held_back = json.value("held_back", std::uint64_t{0});  // older ones had open arrivals only
  read_operations(json.at("operations"), out.operations);
  read_gauges(json.at("over_time"), out.operations);
  read_octets(json.at("octets"), out.operations);
  read_operations(json.at("audit").at("operations"), out.audit);
  read_octets(json.at("audit").at("octets"), out.audit);
  for (const auto& [error, some] : json.at("samples").items())
    for (const Json& one : some)
      out.samples.add(error, {one.at("copy").get<std::uint32_t>(), Duration(one.at("at_ns").get<Duration::rep>()),
                              one.at("text").get<std::string>()});
  return out;
}

Tally read_finding(const Json& json) {
  Tally out;
  out.first.id = json.at("id").get<std::string>();
  out.first.severity = named(json.at("severity").get<std::string>(), judge::Severity::error);
  out.first.requirement = json.at("requirement").get<std::string>();
  out.first.expected = json.at("expected").get<std::string>();
  out.first.actual = json.at("actual").get<std::string>();
  out.first.evidence = json.at("evidence").get<std::vector<std::string>>();
  out.first.life = json.at("life").get<std::vector<std::string>>();
  out.first.reproduce = json.at("reproduce").get<std::string>();
  out.times = number(json, "times");
  out.messages = json.at("messages").get<std::vector<std::string>>();
  return out;
}

LoadResult read(const Json& json) {
  LoadResult out;
  if (json.contains("story"))
    out.stories = {json.at("story").get<std::string>()};
  else
    for (const Json& one : json.at("stories")) out.stories.push_back(one.at("story").get<std::string>());
  out.target = json.at("target").get<std::string>();
  out.seed = number(json, "seed");
  out.copies = json.at("copies").get<std::uint32_t>();
  out.slots = json.at("slots").get<std::uint32_t>();
  out.rate = json.at("rate").get<double>();
  out.duration = json.at("for").get<std::string>();
  out.seconds = json.at("seconds").get<double>();
  out.interrupted = json.at("interrupted").get<bool>();
  out.note = json.at("note").get<std::string>();
  out.worst = named(json.at("worst_copy").get<std::string>(), judge::Verdict::known_fail);
  out.doubts = json.at("doubts").get<std::vector<std::string>>();
  out.held = Duration(json.at("held_ns").get<Duration::rep>());
  out.answering = Duration(json.at("answering_ns").get<Duration::rep>());
  const Json& generator = json.at("generator");
  out.generator.cpu = generator.at("cpu").get<double>();
  out.generator.cpu_peak = generator.value("cpu_peak", 0.0);
  out.generator.busy = generator.value("busy", 0.0);
  out.generator.judging = generator.value("judging", 0.0);  // older runs judged on the thread that played
  out.generator.limited_part = generator.value("limited_part", "");
  out.generator.worst_timer = Duration(generator.at("worst_timer_ns").get<Duration::rep>());
  out.generator.lateness = read_histogram(generator.at("lateness"));
  out.generator.turns = read_histogram(generator.at("turns"));
  if (json.contains("plan")) {
    const Json& plan = json.at("plan");
    out.plan = {plan.at("name").get<std::string>(),
                plan.at("accounts").get<std::uint32_t>(),
                plan.at("most_connections").get<std::size_t>(),
                plan.at("aborted").get<std::string>(),
                plan.at("examples").get<std::map<std::string, std::string>>(),
                std::strtoull(plan.value("hash", "0").c_str(), nullptr, 16),
                plan.value("lay_before", std::uint64_t{0}),
                plan.value("most_before", std::uint64_t{0}),
                Duration(plan.value("login_delay_ns", Duration::rep{0})),
                plan.value("put_off", std::uint64_t{0})};
  }
  if (json.contains("measured"))
    out.measured = {Duration(json.at("measured").at("from_ns").get<Duration::rep>()),
                    Duration(json.at("measured").at("to_ns").get<Duration::rep>())};
  for (const Json& one : json.at("slos"))
    out.slos.push_back({one.at("slo").get<std::string>(), one.at("measured").get<std::string>(),
                        named(one.at("verdict").get<std::string>(), judge::Verdict::known_fail),
                        one.value("of", std::uint64_t{0}), false, one.value("why", "")});
  if (json.contains("users"))
    for (const Json& one : json.at("users"))
      out.users.push_back({one.at("story").get<std::string>(), one.at("users").get<std::uint32_t>(),
                           one.at("think").get<std::string>()});
  if (json.contains("shard")) {
    const Json& shard = json.at("shard");
    out.shard = Shard{shard.at("index").get<unsigned>(), shard.at("of").get<unsigned>(),
                      shard.at("start_at").get<std::string>(), shard.at("began").get<std::string>(),
                      Duration(shard.at("late_ns").get<Duration::rep>())};
  }
  for (const Json& one : json.at("findings")) out.findings[one.at("id").get<std::string>()] = read_finding(one);
  if (out.stories.size() == 1)
    out.by_story.push_back(read_totals(json));
  else
    for (const Json& one : json.at("stories")) out.by_story.push_back(read_totals(one));
  for (const StoryTotals& story : out.by_story) out.all.merge(story);
  return out;
}

}  // namespace

Result<LoadResult> parse_stats(std::string_view text, const std::string& file) {
  try {
    return read(Json::parse(text));
  } catch (const Json::parse_error& error) {
    const auto [line, column] = place_in(text, error.byte);
    return Error{fmt::format("{}:{}:{}", file, line, column), "no stats.json of a load: JSON is broken here"};
  } catch (const std::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.out_of_range.403] key 'stories' not found"
    const auto number = what.find("] ");
    return Error{file, fmt::format("not the stats.json of a load, or of an older mailproof: {}",
                                   what.substr(number == std::string_view::npos ? 0 : number + 2))};
  }
}

Result<LoadResult> read_stats(const std::string& directory) {
  const std::string file = directory + "/stats.json";
  const auto text = scenario::read_file(file, kMostStats);
  if (!text) {
    std::error_code none;
    const bool exists = std::filesystem::exists(file, none),
               run = std::filesystem::exists(directory + "/run.json", none);
    return Error{directory,
                 exists ? fmt::format("its stats.json must be {}", text.error().why)
                 : run  ? "this is a run of scenarios; expected the directory of a load, which has a stats.json "
                          "(runs of scenarios are held against each other by `mailproof matrix`)"
                        : "expected the run directory of a load, one with a stats.json"};
  }
  return parse_stats(*text, file);
}

Result<LoadResult> read_run(const std::string& directory) {
  auto out = read_stats(directory);
  if (!out) return out;
  const std::string file = directory + "/run.json";
  const auto text = scenario::read_file(file, archive::kMostRunJson);
  if (!text)
    return Error{directory,
                 fmt::format("a run directory of load is wanted, one with a run.json: {}", text.error().why)};
  try {
    const Json json = Json::parse(*text);
    out->version = json.at("version").get<std::string>();
    out->began = json.value("began", "");
    out->ended = json.value("ended", "");
    const Json& load = json.at("load");
    out->command = load.at("command").get<std::string>();
    for (const auto& [name, value] : load.at("settings").items())
      out->settings.emplace_back(name, value.get<std::string>());
    out->machines = load.at("machines").get<std::vector<std::string>>();
  } catch (const std::exception& error) {
    return Error{file, fmt::format("not the run.json of a load: {}", error.what())};
  }
  return out;
}

}  // namespace mailproof::load
