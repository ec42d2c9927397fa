#include "core/words.h"

#include <gtest/gtest.h>

#include "core/names.h"

namespace mailproof {
namespace {

enum class Fruit : std::uint8_t { apple, pear, plum };

constexpr Word<Fruit> kAll[] = {{"apple", Fruit::apple}, {"pear", Fruit::pear}, {"plum", Fruit::plum}};
constexpr Word<Fruit> kLastForgotten[] = {{"apple", Fruit::apple}, {"pear", Fruit::pear}};
constexpr Word<Fruit> kMiddleForgotten[] = {{"apple", Fruit::apple}, {"plum", Fruit::plum}};
constexpr Word<Fruit> kTwice[] = {{"apple", Fruit::apple}, {"pear", Fruit::pear}, {"pear", Fruit::plum}};
constexpr Word<Fruit> kSynonyms[] = {{"plum", Fruit::plum}, {"prune", Fruit::plum}, {"apple", Fruit::apple}};

TEST(Words, AreCompleteOnlyWhereEachEnumeratorHasItsOwn) {
  EXPECT_TRUE(complete(kAll));
  EXPECT_FALSE(complete(kLastForgotten));
  EXPECT_FALSE(complete(kMiddleForgotten));
  EXPECT_FALSE(complete(kTwice));
}

TEST(Words, AreFoundBothWays) {
  for (const auto& [word, fruit] : kAll) {
    EXPECT_EQ(word_for(kAll, fruit), word);
    EXPECT_EQ(meaning_of(kAll, word), fruit);
  }
  EXPECT_EQ(meaning_of(kAll, "prune"), std::nullopt);
  EXPECT_EQ(word_for(kLastForgotten, Fruit::plum), "?");
}

TEST(Words, TheFirstOfSeveralIsPrinted) {
  EXPECT_EQ(word_for(kSynonyms, Fruit::plum), "plum");
  EXPECT_EQ(word_for(kSynonyms, Fruit::apple), "apple");
  EXPECT_EQ(meaning_of(kSynonyms, "prune"), Fruit::plum);
}

}  // namespace
}  // namespace mailproof
