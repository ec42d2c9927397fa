#include "load/samples.h"

#include <algorithm>
#include <tuple>

namespace mailproof::load {
namespace {

bool earlier(const Sample& a, const Sample& b) { return std::tie(a.copy, a.at) < std::tie(b.copy, b.at); }

}  // namespace

bool Samples::wanted(const std::string& error, std::uint32_t copy, Duration at) const {
  const auto known = all_.find(error);
  if (known == all_.end()) return all_.size() < kMostClasses;
  return known->second.size() < kMost || earlier(Sample{copy, at, {}}, known->second.back());
}

void Samples::add(const std::string& error, Sample sample) {
  if (!wanted(error, sample.copy, sample.at)) return;
  if (sample.text.size() > kMostOctets) sample.text.resize(kMostOctets);
  auto& of = all_[error];
  of.insert(std::upper_bound(of.begin(), of.end(), sample, earlier), std::move(sample));
  if (of.size() > kMost) of.pop_back();
}

void Samples::merge(const Samples& other) {
  for (const auto& [error, samples] : other.all_)
    for (const Sample& one : samples) add(error, one);
}

}  // namespace mailproof::load
