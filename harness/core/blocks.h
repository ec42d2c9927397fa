#pragma once
#include <boost/container/deque.hpp>
#include <cstddef>

namespace mailproof {

/// A list that only grows, in blocks of so many: what is in it stays where it is, no room is kept for twice as many,
/// and who goes through it finds neighbours side by side (std::deque has blocks of 512 octets: one of our events each).
template <class T, std::size_t kBlock>
using Blocks =
    boost::container::deque<T, void, boost::container::deque_options_t<boost::container::block_size<kBlock>>>;

}  // namespace mailproof
