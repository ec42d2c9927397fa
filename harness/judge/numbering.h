#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mailproof::judge {

/// What a session's sequence numbers stand for: UIDs, 0 where none was told. In pieces, so that an EXPUNGE in a large
/// mailbox moves a few hundred of them and not all, and so that a UID out of order is found by looking at pieces.
class Numbering {
 public:
  std::size_t size() const { return size_; }
  void assign(std::size_t size);  ///< nothing is told of any
  void resize(std::size_t size);  ///< more are added at the end, or the last ones taken away
  void erase(std::size_t number);
  void forget_uids();  ///< which message has which number is not known any more
  std::uint32_t uid(std::size_t number) const;
  /// Something was told of this number. uid 0 = not its UID.
  void tell(std::size_t number, std::uint32_t uid);
  std::size_t told() const { return told_; }  ///< of how many numbers something was told
  std::vector<std::uint32_t> uids() const;    ///< by number - 1

  /// The first other number whose UID, if it is known, does not ascend with this one's; 0 = none.
  std::size_t out_of_order(std::size_t number, std::uint32_t uid) const;

 private:
  static constexpr std::size_t kPiece = 128;
  struct Slot {
    std::uint32_t uid = 0;
    bool told = false;
  };
  struct Piece {
    std::vector<Slot> slots;
    std::uint32_t lowest = ~std::uint32_t{}, highest = 0;  ///< of the UIDs that are known
    void look_again();
  };
  struct Place {
    std::size_t piece = 0, slot = 0;
  };
  Place place(std::size_t number) const;
  static bool fits(std::size_t at, std::uint32_t other, std::size_t number, std::uint32_t uid) {
    return other == 0 || at == number || (at < number) == (other < uid);
  }
  void look_for_highest();
  std::size_t among_neighbours(const Place& here, std::uint32_t uid) const;

  std::vector<Piece> pieces_;          ///< none is empty
  std::vector<std::uint32_t> before_;  ///< how many numbers stand before each piece
  std::size_t size_ = 0, told_ = 0;
  std::uint32_t highest_ = 0;  ///< of the UIDs that are known, as long as they ascend
  bool ascending_ = true;      ///< all UIDs that are known do: then the next ones that are known tell about all
};

}  // namespace mailproof::judge
