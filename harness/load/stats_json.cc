#include "load/stats_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/escape.h"

namespace mailproof::load {
namespace {

using Json = nlohmann::ordered_json;

bool flat(const Json& json) {
  return std::all_of(json.begin(), json.end(), [](const Json& one) {
    return !one.is_structured() || (one.is_array() && std::none_of(one.begin(), one.end(), [](const Json& inner) {
                                      return inner.is_structured();
                                    }));
  });
}

/// As dump(1), but a list of numbers is one line, and so is a list of lists of them: there are thousands.
void print(const Json& json, std::size_t depth, std::string& out) {
  const auto leaf = [](const Json& one) { return one.dump(-1, ' ', false, Json::error_handler_t::replace); };
  if (!json.is_structured() || json.empty() || (json.is_array() && flat(json))) {
    out += leaf(json);
    return;
  }
  const std::string line = "\n" + std::string(depth + 1, ' ');
  const bool object = json.is_object();
  out += object ? '{' : '[';
  bool first = true;
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (!std::exchange(first, false)) out += ',';
    out += line;
    if (object) out += leaf(Json(it.key())) + ": ";
    print(*it, depth + 1, out);
  }
  out += "\n" + std::string(depth, ' ');
  out += object ? '}' : ']';
}

Json histogram(const stats::Histogram& h) {
  Json out = {{"count", h.count()},
              {"min_ns", h.min().count()},
              {"max_ns", h.max().count()},
              {"p50_ns", h.percentile(50).count()},
              {"p90_ns", h.percentile(90).count()},
              {"p99_ns", h.percentile(99).count()},
              {"p999_ns", h.percentile(99.9).count()}};
  const stats::Histogram::State state = h.state();
  if (h.count() == 0) out["min_ns"] = out["max_ns"] = 0;
  if (state.below != 0) out["below"] = state.below;
  if (state.above != 0) out["above"] = state.above;
  out["sum_ns"] = state.sum.empty() ? "0" : state.sum;
  Json buckets = Json::array();
  h.for_each([&](Duration low, Duration high, std::uint64_t count) {
    buckets.push_back({low.count(), high.count(), count});
  });
  out["buckets"] = std::move(buckets);
  return out;
}

/// Columns, a number for each slice.
Json slices(const stats::Slices& all) {
  Json out = {{"seconds", all.seconds()}};
  const auto column = [&](const char* name, std::uint64_t stats::Slice::*field) {
    Json& values = out[name] = Json::array();
    for (const auto& slice : all.cells()) values.push_back(slice.*field);
  };
  column("due", &stats::Slice::due);
  column("started", &stats::Slice::started);
  column("ok", &stats::Slice::ok);
  column("fail", &stats::Slice::fail);
  column("info", &stats::Slice::info);
  column("unserved", &stats::Slice::unserved);
  Json& response = out["response"] = Json::array();
  for (const auto& slice : all.cells()) {
    Json one = Json::array();
    for (const auto entry : slice.response.entries()) {
      one.push_back(std::uint64_t{entry.bucket});
      one.push_back(std::uint64_t{entry.count});
    }
    response.push_back(std::move(one));
  }
  return out;
}

Json operations(const stats::Operations& all, bool with_slices) {
  Json out = Json::object();
  all.for_each([&](std::string_view name, const stats::Operation& op) {
    Json& one = out[std::string(name)] = {{"intended", op.intended},
                                          {"started", op.started},
                                          {"ok", op.ok},
                                          {"fail", op.fail},
                                          {"info", op.info},
                                          {"timed_out", op.timed_out},
                                          {"errors", op.errors},
                                          {"response", histogram(op.response)},
                                          {"service", histogram(op.service)},
                                          {"lateness", histogram(op.lateness)}};
    if (op.measured.response.count() != 0 || op.measured.due != 0 || op.measured.done != 0)
      one["measured"] = {{"due", op.measured.due},
                         {"ok", op.measured.ok},
                         {"done", op.measured.done},
                         {"response", histogram(op.measured.response)}};
    if (with_slices) one["slices"] = slices(op.slices);
  });
  return out;
}

Json gauges(const stats::Operations& all) {
  Json out = Json::object();
  for (const auto& [name, gauge] : all.gauges()) {
    Json area = Json::array();
    for (const auto& level : gauge.levels().cells()) area.push_back(level.area);
    out[name] = {{"seconds", gauge.levels().seconds()}, {"area_ns", std::move(area)}};
  }
  return out;
}

Json octets(const stats::Operations& all) {
  Json in = Json::array(), sent = Json::array();
  for (const auto& one : all.octets().cells()) {
    in.push_back(one.in);
    sent.push_back(one.out);
  }
  return {{"seconds", all.octets().seconds()}, {"in", std::move(in)}, {"out", std::move(sent)}};
}

/// `whole`: with all that adding it up again needs; else only what people and programs look for at the top.
void describe(Json& out, const StoryTotals& totals, bool whole) {
  const LedgerTotals& ledger = totals.ledger;
  out["ledger"] = {{"copies", ledger.copies},
                   {"sent", ledger.sent},
                   {"accepted", ledger.accepted},
                   {"refused", ledger.refused},
                   {"unknown", ledger.unknown},
                   {"unexplained", ledger.unexplained},
                   {"by_customers", ledger.by_customers},
                   {"saved", ledger.saved},
                   {"unsent", ledger.unsent},
                   {"fates", ledger.fates}};
  out["operations"] = operations(totals.operations, whole);
  if (!whole) return;
  out["over_time"] = gauges(totals.operations);
  out["octets"] = octets(totals.operations);
  out["audit"] = {{"operations", operations(totals.audit, true)}, {"octets", octets(totals.audit)}};
  Json& samples = out["samples"] = Json::object();
  for (const auto& [error, some] : totals.samples.all())
    for (const Sample& one : some)
      samples[error].push_back({{"copy", one.copy}, {"at_ns", one.at.count()}, {"text", report::plain(one.text)}});
}

Json finding(const Tally& tally) {
  const judge::Finding& first = tally.first;
  return {{"id", first.id},
          {"severity", name(first.severity)},
          {"times", tally.times},
          {"messages", tally.messages},
          {"requirement", first.requirement},
          {"expected", first.expected},
          {"actual", first.actual},
          {"evidence", first.evidence},
          {"life", first.life},
          {"reproduce", first.reproduce}};
}

}  // namespace

std::string to_json(const LoadResult& result) {
  const bool one_story = result.stories.size() == 1;
  Json out = {{"verdict", name(verdict_of(result))}};
  if (one_story) out["story"] = result.stories.front();
  out.update({{"target", result.target},
              {"seed", result.seed},
              {"copies", result.copies},
              {"played", begun(result)},
              {"unserved", result.all.unserved},
              {"held_back", result.all.held_back},
              {"slots", result.slots},
              {"rate", result.rate},
              {"for", result.duration},
              {"seconds", result.seconds},
              {"interrupted", result.interrupted},
              {"note", result.note},
              {"worst_copy", name(result.worst)},
              {"doubts", result.doubts},
              {"held_ns", result.held.count()},
              {"answering_ns", result.answering.count()},
              {"generator",
               {{"limited", result.generator.limited()},
                {"cpu", result.generator.cpu},
                {"cpu_peak", result.generator.cpu_peak},
                {"busy", result.generator.busy},
                {"judging", result.generator.judging},
                {"worst_lateness_ns", result.generator.lateness.max().count()},
                {"worst_timer_ns", result.generator.worst_timer.count()},
                {"lateness", histogram(result.generator.lateness)},
                {"turns", histogram(result.generator.turns)}}}});
  if (!result.generator.limited_part.empty()) out["generator"]["limited_part"] = result.generator.limited_part;
  if (!result.plan.name.empty())
    out["plan"] = {{"name", result.plan.name},
                   {"accounts", result.plan.accounts},
                   {"most_connections", result.plan.most_connections},
                   {"aborted", result.plan.aborted},
                   {"lay_before", result.plan.lay_before},
                   {"most_before", result.plan.most_before},
                   {"login_delay_ns", result.plan.login_delay.count()},
                   {"put_off", result.plan.put_off},
                   {"examples", result.plan.examples},
                   {"hash", fmt::format("{:016x}", result.plan.hash)}};
  if (!result.measured.empty())
    out["measured"] = {{"from_ns", result.measured.from.count()}, {"to_ns", result.measured.to.count()}};
  Json& slos = out["slos"] = Json::array();
  for (const SloResult& one : result.slos)
    slos.push_back({{"slo", one.text},
                    {"measured", one.measured},
                    {"verdict", name(one.verdict)},
                    {"of", one.of},
                    {"why", one.why}});
  if (!result.users.empty()) {
    Json& users = out["users"] = Json::array();
    for (const UsersOf& one : result.users)
      users.push_back({{"story", one.story}, {"users", one.users}, {"think", one.think}});
  }
  if (result.shard)
    out["shard"] = {{"index", result.shard->index},
                    {"of", result.shard->of},
                    {"start_at", result.shard->start_at},
                    {"began", result.shard->began},
                    {"late_ns", result.shard->late.count()}};
  if (one_story) out["verdicts"] = result.all.verdicts;
  describe(out, result.all, one_story);
  Json& findings = out["findings"] = Json::array();
  for (const auto& [id, tally] : result.findings) findings.push_back(finding(tally));
  if (!one_story) {
    Json& stories = out["stories"] = Json::array();
    for (std::size_t i = 0; i < result.stories.size() && i < result.by_story.size(); ++i) {
      Json one = {{"story", result.stories[i]},
                  {"verdicts", result.by_story[i].verdicts},
                  {"unserved", result.by_story[i].unserved},
                  {"held_back", result.by_story[i].held_back}};
      describe(one, result.by_story[i], true);
      stories.push_back(std::move(one));
    }
  }
  std::string text;
  print(out, 0, text);
  return report::harmless_json(text) + "\n";
}

}  // namespace mailproof::load
