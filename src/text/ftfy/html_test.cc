#include "text/ftfy/html.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(UnescapeHtml, KnowsNamesWithAndWithoutSemicolon) {
  EXPECT_EQ(unescape_html(U"&lt;cat&gt; &eacute;"), U"<cat> é");
  EXPECT_EQ(unescape_html(U"&copy 2020 &ampx"), U"© 2020 &x");
  EXPECT_EQ(unescape_html(U"&notit; &notin;"), U"¬it; ∉");
  EXPECT_EQ(unescape_html(U"&hearts &unknown; & &; &a;"), U"&hearts &unknown; & &; &a;");
  EXPECT_EQ(unescape_html(U"&NotEqualTilde;&fjlig;&NewLine;"), U"≂\u0338fj\n");
  EXPECT_EQ(unescape_html(U"&CounterClockwiseContourIntegral;"), U"∳");
}

TEST(UnescapeHtml, DoesOneLayer) {
  EXPECT_EQ(unescape_html(U"&amp;amp;lt;"), U"&amp;lt;");
  EXPECT_EQ(unescape_html(U"&amp;#65;"), U"&#65;");
}

TEST(UnescapeHtml, ReadsNumbersAsBrowsersDo) {
  EXPECT_EQ(unescape_html(U"&#65;&#x42;&#X43&#68 &#x1F431;"), U"ABCD 🐱");
  EXPECT_EQ(unescape_html(U"&#128;&#150;&#x9d;"), U"€–\u009D");
  EXPECT_EQ(unescape_html(U"&#0;&#xD800;&#x110000;&#99999999999999999999;"),
            U"\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(unescape_html(U"[&#1;&#x7f;&#xFDD0;&#x1FFFF;]"), U"[]");
  EXPECT_EQ(unescape_html(U"&#; &#x; &#xg;"), U"&#; &#x; &#xg;");
}

TEST(UnescapeClosedHtml, NeedsTheSemicolon) {
  EXPECT_EQ(unescape_closed_html(U"this&not that &notit; &copy"), U"this&not that &notit; &copy");
  EXPECT_EQ(unescape_closed_html(U"&lt;&#233;&#xE9;&Jscr;"), U"<éé𝒥");
  EXPECT_EQ(unescape_closed_html(U"&#65x; &#65 &;&#;"), U"&#65x; &#65 &;&#;");
}

TEST(UnescapeClosedHtml, KnowsNamesInCapitals) {
  EXPECT_EQ(unescape_closed_html(U"P&EACUTE;REZ &NTILDE; &nTILDE;"), U"PÉREZ Ñ &nTILDE;");
  EXPECT_EQ(unescape_closed_html(U"STRA&SZLIG;E"), U"STRASSE");
}

}  // namespace
}  // namespace tagclip
