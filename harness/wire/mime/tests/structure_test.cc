#include "wire/mime/structure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mailproof::mime {
namespace {

constexpr std::string_view kNested =
    "From: user0002@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n"
    "preamble\r\n"
    "--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
    "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    "quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\nzwei\r\n"
    "--inner\r\nContent-Type: text/html\r\n\r\n<p>Gr&uuml;&szlig;e</p>\r\n--inner--\r\n"
    "--outer\r\nContent-Type: image/png; name=\"a.png\"\r\nContent-Transfer-Encoding: BASE64\r\nContent-ID: <cid@x>\r\n"
    "Content-Description: a\r\n picture\r\nContent-Disposition: attachment; filename=a.png\r\nContent-Language: de, en "
    "(x)\r\n"
    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Location: http://x/\r\n\r\niVBORw0KGgo=\r\n"
    "--outer  \r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: enclosed\r\n\r\nenclosed text\r\n--not a boundary\r\n"
    "--outer--\r\nepilogue\r\n";

std::string show(const Part& p, std::string_view message, int depth = 0) {
  std::string out = fmt::format("{:{}}{}/{} {} {} octets {} lines\n", "", depth * 2, p.content_type.type,
                                p.content_type.subtype, p.encoding, p.body.size(), p.lines);
  for (const Part& child : p.parts) out += show(child, message, depth + 1);
  return out;
}

TEST(MimeStructure, NestedMessage) {
  const Part root = parse_structure(kNested);
  EXPECT_EQ(show(root, kNested), fmt::format("multipart/mixed 7BIT {} octets 36 lines\n"
                                             "  multipart/alternative 7BIT 190 octets 10 lines\n"
                                             "    text/plain QUOTED-PRINTABLE 21 octets 1 lines\n"
                                             "    text/html 7BIT 23 octets 0 lines\n"
                                             "  image/png BASE64 12 octets 0 lines\n"
                                             "  message/rfc822 7BIT 52 octets 3 lines\n"
                                             "    text/plain 7BIT 31 octets 1 lines\n",
                                             root.body.size()));
  const std::uint32_t section[] = {1, 1};
  EXPECT_EQ(find_part(root, section)->body.of(kNested), "Gr=C3=BC=C3=9Fe\r\nzwei");
}

TEST(MimeStructure, FieldsOfALeaf) {
  const Part root = parse_structure(kNested);
  const Part& png = root.parts[1];
  EXPECT_EQ(png.body.of(kNested), "iVBORw0KGgo=");
  EXPECT_EQ(png.id, "<cid@x>");
  EXPECT_EQ(png.description, "a picture");
  EXPECT_EQ(png.md5, "Q2hlY2sgSW50ZWdyaXR5IQ==");
  EXPECT_EQ(png.location, "http://x/");
  EXPECT_EQ(png.languages, (std::vector<std::string>{"de", "en"}));
  ASSERT_TRUE(png.disposition);
  EXPECT_EQ(png.disposition->value, "attachment");
  EXPECT_EQ(png.disposition->parameter("filename"), "a.png");
  EXPECT_EQ(png.content_type.parameter("name"), "a.png");
}

TEST(MimeStructure, SectionNumbers) {
  const Part root = parse_structure(kNested);
  const auto find = [&](std::vector<std::uint32_t> section) { return find_part(root, section); };
  EXPECT_EQ(find({}), &root);
  EXPECT_EQ(find({2}), &root.parts[1]);
  EXPECT_EQ(find({1, 2}), &root.parts[0].parts[1]);
  EXPECT_EQ(find({3}), &root.parts[2]);
  EXPECT_EQ(find({3, 1}), &root.parts[2].parts[0]);
  EXPECT_EQ(find({3, 1})->header.of(kNested), "Subject: enclosed\r\n\r\n");
  for (const auto& none :
       std::vector<std::vector<std::uint32_t>>{{0}, {4}, {2, 1}, {1, 3}, {1, 1, 1}, {3, 2}, {3, 1, 1}})
    EXPECT_EQ(find(none), nullptr);
  const Part plain = parse_structure("Subject: x\r\n\r\nhello\r\n");
  const std::uint32_t one[] = {1};
  const std::uint32_t one_one[] = {1, 1};
  EXPECT_EQ(find_part(plain, one), &plain);
  EXPECT_EQ(find_part(plain, one_one), nullptr);
}

TEST(MimeStructure, DigestPartsAreMessages) {
  constexpr std::string_view digest =
      "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: one\r\n\r\n1\r\n--d\r\n\r\nSubject: "
      "two\r\n\r\n2\r\n--d--\r\n";
  const Part root = parse_structure(digest);
  ASSERT_EQ(root.parts.size(), 2U);
  EXPECT_TRUE(root.parts[1].is_message());
  EXPECT_EQ(root.parts[1].parts[0].header.of(digest), "Subject: two\r\n\r\n");
}

TEST(MimeStructure, UnclosedAndEmptyMultiparts) {
  constexpr std::string_view unclosed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlast words\r\n";
  const Part root = parse_structure(unclosed);
  ASSERT_EQ(root.parts.size(), 1U);
  EXPECT_EQ(root.parts[0].body.of(unclosed), "last words\r\n");
  EXPECT_TRUE(parse_structure("Content-Type: multipart/mixed\r\n\r\n--\r\n").parts.empty());
  EXPECT_TRUE(parse_structure("Content-Type: multipart/mixed; boundary=b\r\n\r\nno part\r\n").parts.empty());
  const Part empty = parse_structure("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--\r\n");
  ASSERT_EQ(empty.parts.size(), 1U);
  EXPECT_EQ(empty.parts[0].body.size(), 0U);
  EXPECT_EQ(parse_structure("").body.size(), 0U);
  EXPECT_EQ(parse_structure("only a line").header.size(), 11U);
}

TEST(MimeStructure, BoundaryMustStandAlone) {
  constexpr std::string_view m =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--bc\r\nx "
      "--b\r\n--b\t\r\n\r\nsecond\r\n--b--\r\n--b\r\n\r\nepilogue\r\n";
  const Part root = parse_structure(m);
  ASSERT_EQ(root.parts.size(), 2U);
  EXPECT_EQ(root.parts[0].body.of(m), "--bc\r\nx --b");
  EXPECT_EQ(root.parts[1].body.of(m), "second");
}

TEST(MimeStructure, DepthAndNumberAreBounded) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "Content-Type: message/rfc822\r\n\r\n";
  std::size_t depth = 0;
  const Part root = parse_structure(deep);
  for (const Part* p = &root; !p->parts.empty(); p = &p->parts[0]) ++depth;
  EXPECT_EQ(depth, 32U);
  std::string wide = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 5000; ++i) wide += "--b\r\n\r\nx\r\n";
  EXPECT_EQ(parse_structure(wide).parts.size(), 1000U);
}

}  // namespace
}  // namespace mailproof::mime
