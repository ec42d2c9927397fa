#include "import/read/packet.h"

#include <fmt/format.h>

namespace mailproof::imports {
namespace {

// https://www.tcpdump.org/linktypes.html
constexpr int kNull = 0, kEthernet = 1, kRaw = 12, kRawToo = 101, kLoop = 108, kLinuxSll = 113, kLinuxSll2 = 276;
constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
constexpr unsigned kTcp = 6;

unsigned octet(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }
std::uint16_t short_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint16_t>(octet(text, at) << 8U | octet(text, at + 1));
}
std::uint32_t long_at(std::string_view text, std::size_t at) {
  return std::uint32_t{short_at(text, at)} << 16U | short_at(text, at + 2);
}

/// RFC 9293 section 3.1. `length`: of the segment as IP says, which the capture may have cut.
std::optional<Segment> read_tcp(std::string_view packet, std::size_t length) {
  if (packet.size() < 20 || length < 20) return std::nullopt;
  Segment out;
  out.from_port = short_at(packet, 0);
  out.to_port = short_at(packet, 2);
  out.sequence = long_at(packet, 4);
  out.acknowledged = long_at(packet, 8);
  const std::size_t header = (octet(packet, 12) >> 4U) * 4U;
  const unsigned flags = octet(packet, 13);
  out.fin = (flags & 1U) != 0;
  out.syn = (flags & 2U) != 0;
  out.reset = (flags & 4U) != 0;
  out.ack = (flags & 16U) != 0;
  if (header < 20 || header > length || header > packet.size()) return std::nullopt;
  out.cut = packet.size() < length;
  out.octets = packet.substr(header, length - header);
  return out;
}

/// RFC 791 section 3.1.
std::optional<Segment> read_ipv4(std::string_view packet) {
  if (packet.size() < 20 || octet(packet, 0) >> 4U != 4) return std::nullopt;
  const std::size_t header = (octet(packet, 0) & 15U) * 4U;
  std::size_t length = short_at(packet, 2);
  if (length == 0) length = packet.size();  // the network card was to fill it in
  const bool fragment = (short_at(packet, 6) & 0x3fffU) != 0;
  if (fragment || octet(packet, 9) != kTcp || header < 20 || packet.size() < header || length < header)
    return std::nullopt;
  auto out = read_tcp(packet.substr(header), length - header);
  if (!out) return out;
  const auto host = [&](std::size_t at) {
    return fmt::format("{}.{}.{}.{}", octet(packet, at), octet(packet, at + 1), octet(packet, at + 2),
                       octet(packet, at + 3));
  };
  out->from_host = host(12);
  out->from = fmt::format("{}:{}", out->from_host, out->from_port);
  out->to = fmt::format("{}:{}", host(16), out->to_port);
  return out;
}

/// RFC 8200 sections 3 and 4.
std::optional<Segment> read_ipv6(std::string_view packet) {
  if (packet.size() < 40 || octet(packet, 0) >> 4U != 6) return std::nullopt;
  std::size_t length = short_at(packet, 4);
  unsigned next = octet(packet, 6);
  std::string_view rest = packet.substr(40);
  if (length == 0) length = rest.size();
  for (const unsigned options : {0U, 60U, 43U}) {  // hop-by-hop, destination, routing
    if (next != options || rest.size() < 8) continue;
    const std::size_t size = (octet(rest, 1) + 1U) * 8U;
    if (rest.size() < size || length < size) return std::nullopt;
    next = octet(rest, 0);
    rest.remove_prefix(size);
    length -= size;
  }
  if (next != kTcp) return std::nullopt;
  auto out = read_tcp(rest, length);
  if (!out) return out;
  const auto host = [&](std::size_t at) {
    std::string text = "[";
    for (std::size_t i = 0; i < 16; i += 2) text += fmt::format("{}{:x}", i == 0 ? "" : ":", short_at(packet, at + i));
    return text + "]";
  };
  out->from_host = host(8);
  out->from = fmt::format("{}:{}", out->from_host, out->from_port);
  out->to = fmt::format("{}:{}", host(24), out->to_port);
  return out;
}

std::optional<Segment> read_ip(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  return octet(packet, 0) >> 4U == 6 ? read_ipv6(packet) : read_ipv4(packet);
}

std::optional<Segment> read_ethertype(std::string_view frame, std::size_t at) {
  while (frame.size() >= at + 2) {
    const std::uint16_t type = short_at(frame, at);
    if (type == kIpv4 || type == kIpv6) return read_ip(frame.substr(at + 2));
    if (type != kVlan && type != kServiceVlan) return std::nullopt;
    at += 4;
  }
  return std::nullopt;
}

}  // namespace

bool known_link_type(int type) {
  return type == kNull || type == kEthernet || type == kRaw || type == kRawToo || type == kLoop || type == kLinuxSll ||
         type == kLinuxSll2;
}

std::optional<Segment> read_frame(int link_type, std::string_view frame) {
  switch (link_type) {
    case kEthernet:
      return read_ethertype(frame, 12);
    case kLinuxSll:
      return read_ethertype(frame, 14);
    case kLinuxSll2: {
      if (frame.size() < 20) return std::nullopt;
      const std::uint16_t type = short_at(frame, 0);
      return type == kIpv4 || type == kIpv6 ? read_ip(frame.substr(20)) : std::nullopt;
    }
    case kNull:
    case kLoop:
      return frame.size() < 4 ? std::nullopt : read_ip(frame.substr(4));
    case kRaw:
    case kRawToo:
      return read_ip(frame);
    default:
      return std::nullopt;
  }
}

}  // namespace mailproof::imports
