#include "judge/numbering.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace mailproof::judge {
namespace {

/// The same, one by one.
struct Plain {
  std::vector<std::uint32_t> uids;
  std::vector<bool> told;

  std::size_t out_of_order(std::size_t number, std::uint32_t uid) const {
    for (std::size_t at = 1; at <= uids.size(); ++at)
      if (uids[at - 1] != 0 && at != number && (at < number) != (uids[at - 1] < uid)) return at;
    return 0;
  }
};

TEST(Numbering, IsWhatOneByOneWouldBe) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    Numbering numbering;
    Plain plain;
    const std::size_t size = rng.below(1500) + 1;
    numbering.assign(size);
    plain.uids.assign(size, 0);
    plain.told.assign(size, false);
    for (int step = 0; step < 3000; ++step) {
      const std::size_t number = plain.uids.empty() ? 0 : rng.below(static_cast<std::uint32_t>(plain.uids.size())) + 1;
      const std::uint32_t what = rng.below(100);
      if (what < 2 || number == 0) {
        const std::size_t now = plain.uids.size() / 2 + rng.below(600) + 1;
        numbering.resize(now);
        plain.uids.resize(now, 0);
        plain.told.resize(now, false);
      } else if (what < 30) {
        numbering.erase(number);
        plain.uids.erase(plain.uids.begin() + static_cast<std::ptrdiff_t>(number - 1));
        plain.told.erase(plain.told.begin() + static_cast<std::ptrdiff_t>(number - 1));
      } else {
        // Mostly in order.
        const auto uid = what < 40 ? 0 : what < 95 ? static_cast<std::uint32_t>(number * 10) : rng.below(20'000) + 1;
        EXPECT_EQ(numbering.out_of_order(number, uid == 0 ? 7 : uid), plain.out_of_order(number, uid == 0 ? 7 : uid));
        numbering.tell(number, uid);
        if (uid != 0) plain.uids[number - 1] = uid;
        plain.told[number - 1] = true;
        EXPECT_EQ(numbering.uid(number), plain.uids[number - 1]);
      }
      ASSERT_EQ(numbering.size(), plain.uids.size());
      ASSERT_EQ(numbering.told(), static_cast<std::size_t>(std::count(plain.told.begin(), plain.told.end(), true)));
    }
    EXPECT_EQ(numbering.uids(), plain.uids);
  }
}

}  // namespace
}  // namespace mailproof::judge
