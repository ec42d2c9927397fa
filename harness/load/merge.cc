#include "load/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include "load/slo.h"

namespace mailproof::load {
namespace {

/// A time as clock_text() writes it, in milliseconds since some midnight; nothing where it is none.
std::optional<std::int64_t> milliseconds_of(const std::string& text) {
  std::tm parts{};
  const char* const rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  std::int64_t out = std::int64_t{timegm(&parts)} * 1000, scale = 100;
  if (*rest == '.')
    for (const char* digit = rest + 1; *digit >= '0' && *digit <= '9' && scale > 0; ++digit, scale /= 10)
      out += (*digit - '0') * scale;
  return out;
}

bool together(const std::string& first, const std::string& last) {
  const auto a = milliseconds_of(first), b = milliseconds_of(last);
  return !a || !b || std::chrono::milliseconds(*b - *a) <= kMostLate;
}

/// What must be the same in all shards; where it is not, what it is.
std::optional<std::string> unlike(const LoadResult& a, const LoadResult& b) {
  const auto differ = [](std::string_view what, const auto& one, const auto& other) {
    return one == other ? std::nullopt : std::optional(fmt::format("{}: {} and {}", what, one, other));
  };
  const auto joined = [](const LoadResult& r) { return fmt::format("{}", fmt::join(r.stories, ", ")); };
  const auto users = [](const LoadResult& r) {
    std::string out;
    for (const UsersOf& one : r.users) out += fmt::format("{} of {}, {}; ", one.users, one.story, one.think);
    return out;
  };
  for (const auto& difference :
       {differ("stories", joined(a), joined(b)), differ("target", a.target, b.target), differ("seed", a.seed, b.seed),
        differ("copies", a.copies, b.copies), differ("slots", a.slots, b.slots), differ("rate", a.rate, b.rate),
        differ("users in a closed loop", users(a), users(b)), differ("for", a.duration, b.duration),
        differ("shards", a.shard->of, b.shard->of), differ("--start-at", a.shard->start_at, b.shard->start_at),
        differ("text of the plan and its profiles, hashed", a.plan.hash, b.plan.hash),
        differ("--audit", setting_of(a, "looked into in the end"), setting_of(b, "looked into in the end")),
        differ("--patience", setting_of(a, "patience"), setting_of(b, "patience")),
        // Copies and customers are dealt to all threads of all shards.
        differ("--jobs", setting_of(a, "threads"), setting_of(b, "threads")),
        differ("--strict", setting_of(a, "strict"), setting_of(b, "strict"))})
    if (difference) return difference;
  return std::nullopt;
}

void doubt(const Part& part, LoadResult& out) {
  const Shard& shard = *part.result.shard;
  const auto say = [&](std::string why) {
    out.doubts.push_back(fmt::format("SHARD {} OF {} {}: {}", shard.index, shard.of, std::move(why), part.name));
  };
  if (shard.late > kMostLate)
    say(fmt::format("WAS LATE by {:.1f} s, so that the target had less than the whole load",
                    std::chrono::duration<double>(shard.late).count()));
  if (part.result.generator.limited())
    say(fmt::format("WAS GENERATOR-LIMITED ({})", part.result.generator.why_limited()));
  if (part.result.interrupted) say("WAS INTERRUPTED: the rest of it was not played");
  if (!part.result.note.empty()) say(fmt::format("BROKE OFF ({})", part.result.note));
}

/// What is promised is promised of the whole: a part may miss a line that the whole meets, and the other way about.
void judge_again(LoadResult& out) {
  std::vector<scenario::Slo> lines;
  for (const SloResult& one : std::exchange(out.slos, {}))
    if (auto slo = scenario::slo_of(one.text)) lines.push_back(std::move(*slo));
  judge_slo(lines, out);
}

}  // namespace

Result<LoadResult> merge(std::vector<Part> parts) {
  for (const Part& part : parts)
    if (!part.result.shard) return Error{part.name, "it is no shard of a load: load --shard K/N makes them"};
  if (parts.empty()) return Error{"", "nothing to merge"};
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.result.shard->index < b.result.shard->index; });
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (const auto why = unlike(parts[0].result, parts[i].result))
      return Error{parts[i].name, fmt::format("it is of another load than {}: {}", parts[0].name, *why)};
    if (parts[i].result.shard->index == parts[i - 1].result.shard->index)
      return Error{parts[i].name, fmt::format("it is shard {} of {}, as {} is", parts[i].result.shard->index,
                                              parts[i].result.shard->of, parts[i - 1].name)};
  }

  LoadResult out = parts[0].result;
  const unsigned of = out.shard->of;
  if (const std::string part = fmt::format(" --shard {}/{}", out.shard->index, of);
      out.command.find(part) != std::string::npos)
    out.command.erase(out.command.find(part), part.size());
  const bool timed = !out.shard->start_at.empty();
  std::string first_began = out.shard->began, last_began = out.shard->began;
  out.shard.reset();
  // That a shard was late is found out again below; what it left unjudged, or could not begin, is not.
  const auto of_shard = [](const std::string& doubt) { return doubt.starts_with("LATE:"); };
  std::erase_if(out.doubts, of_shard);
  std::vector<judge::Verdict> worst = {out.worst};
  out.generator.limited_part = out.generator.why_limited();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    LoadResult& part = parts[i].result;
    for (std::size_t n = 0; n < out.by_story.size(); ++n) out.by_story[n].merge(part.by_story[n]);
    for (auto& [id, tally] : part.findings) {
      Tally& all = out.findings[id];
      if (all.times == 0) all.first = tally.first;
      all.times += tally.times;
      all.messages.insert(all.messages.end(), tally.messages.begin(), tally.messages.end());
    }
    worst.push_back(part.worst);
    out.seconds = std::max(out.seconds, part.seconds);
    out.interrupted = out.interrupted || part.interrupted;
    if (out.generator.limited_part.empty()) out.generator.limited_part = part.generator.why_limited();
    out.generator.merge(part.generator);
    // As the threads of one process add up.
    out.plan.merge(part.plan);
    for (const std::string& doubt : part.doubts)
      if (!of_shard(doubt) && std::find(out.doubts.begin(), out.doubts.end(), doubt) == out.doubts.end())
        out.doubts.push_back(doubt);
    out.held += part.held;
    out.answering += part.answering;
    if (out.note.empty()) out.note = part.note;
    for (const std::string& machine : part.machines)
      if (std::find(out.machines.begin(), out.machines.end(), machine) == out.machines.end())
        out.machines.push_back(machine);
    if (!part.began.empty()) out.began = out.began.empty() ? part.began : std::min(out.began, part.began);
    out.ended = std::max(out.ended, part.ended);
    if (!part.shard->began.empty()) {
      first_began = std::min(first_began, part.shard->began);
      last_began = std::max(last_began, part.shard->began);
    }
  }
  out.worst = judge::worst(worst);
  out.all = {};
  for (const StoryTotals& story : out.by_story) out.all.merge(story);
  judge_again(out);

  for (unsigned index = 1; index <= of; ++index)
    if (std::none_of(parts.begin(), parts.end(), [&](const Part& part) { return part.result.shard->index == index; }))
      out.doubts.push_back(fmt::format(
          "SHARD {} OF {} IS MISSING: its copies are in no figure here, and whether the target had them is not known",
          index, of));
  for (const Part& part : parts) doubt(part, out);
  // Without a time that was agreed on the clocks of the machines have to say whether it was one load.
  if (!timed && of > 1 && !together(first_began, last_began))
    out.doubts.push_back(
        fmt::format("THE SHARDS DID NOT BEGIN TOGETHER: the first at {}, the last at {}; --start-at makes them",
                    first_began, last_began));
  return out;
}

}  // namespace mailproof::load
