#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::imports {

/// One TCP segment of a captured frame. Addresses are as they print: "127.0.0.1:143", "[::1]:143".
struct Segment {
  std::string from, to;
  std::uint16_t from_port = 0, to_port = 0;
  std::string from_host;
  std::uint32_t sequence = 0, acknowledged = 0;
  bool syn = false, ack = false, fin = false, reset = false;
  std::string_view octets;  ///< into the frame
  bool cut = false;         ///< the capture has not all of its octets
};

/// The segment in a frame of this link type (pcap's number of it): Ethernet with or without VLAN tags, Linux "any",
/// loopback, or raw IP; over IPv4 or IPv6. Nothing: it holds none, or only a fragment.
std::optional<Segment> read_frame(int link_type, std::string_view frame);
/// Whether frames of this type can be read.
bool known_link_type(int link_type);

}  // namespace mailproof::imports
