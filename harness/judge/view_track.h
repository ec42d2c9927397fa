#pragma once
#include <map>
#include <string>

#include "history/history.h"
#include "judge/numbering.h"

namespace mailproof::judge {

/// What the server made one session believe about its selected mailbox, rebuilt from the history.
struct View {
  std::string mailbox;
  std::uint32_t uidvalidity = 0;
  bool sure = false;  ///< false while a SELECT runs, or when something came that cannot be followed
  bool selecting = false;
  std::uint32_t exists = 0;
  Numbering numbers;  ///< what was told of each since SELECT
};

/// A server may announce a number that no test mailbox has; its UIDs are not followed.
inline constexpr std::uint32_t kMostFollowed = 200'000;

class ViewTrack {
 public:
  explicit ViewTrack(const history::History& history) : history_(history) {}
  void apply(const history::Event& e);  ///< in order
  /// What changes a view: only that needs to be applied.
  static bool follows(history::What what) {
    using history::What;
    return what == What::select || what == What::examine || what == What::unselect || what == What::close ||
           what == What::exists || what == What::expunged || what == What::row || what == What::message ||
           what == What::nil;
  }
  const View* view(std::uint32_t session) const;

 private:
  const history::History& history_;
  std::map<std::uint32_t, View> views_;
};

}  // namespace mailproof::judge
