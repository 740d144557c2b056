// Decimal strings against a regular expression and integers of any width, which they do not use.
#include "schema/types/decimal.h"

#include <doctest/doctest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <limits>
#include <random>
#include <regex>
#include <string>

namespace warpbook {
namespace {

using Wide = boost::multiprecision::cpp_int;

constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();

// The grammar of decimal.h in one expression, the value in wide integers.
std::optional<int64_t> Oracle(const std::string& text, int decimals) {
  static const std::regex pattern(R"((0|[1-9][0-9]*)(?:\.([0-9]+))?)");
  std::smatch match;
  if (!std::regex_match(text, match, pattern)) return std::nullopt;
  if (match[2].length() > decimals) return std::nullopt;
  std::string digits = match[1].str() + match[2].str();
  digits.append(static_cast<size_t>(decimals - match[2].length()), '0');
  // A leading zero would make it octal.
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const Wide value(digits);
  if (value > kMax64) return std::nullopt;
  return static_cast<int64_t>(value);
}

TEST_CASE("Every string of up to 6 characters parses as the grammar says") {
  constexpr std::string_view kAlphabet = "0159.-+ e";
  for (size_t length = 0; length <= 6; ++length) {
    std::vector<size_t> choice(length, 0);
    while (true) {
      std::string text;
      for (const size_t c : choice) text += kAlphabet[c];
      for (const int decimals : {0, 2, 6}) {
        const bool agrees = ParseDecimal(text, decimals) == Oracle(text, decimals);
        CAPTURE(text);
        if (!agrees) CHECK(agrees);
      }
      size_t at = 0;
      while (at < length && ++choice[at] == kAlphabet.size()) choice[at++] = 0;
      if (at == length) break;
    }
  }
}

TEST_CASE("No byte but digits and the point has a place in a decimal string") {
  for (int value = 0; value < 256; ++value) {
    for (const std::string& text :
         {std::string(1, static_cast<char>(value)), "1" + std::string(1, static_cast<char>(value)),
          std::string(1, static_cast<char>(value)) + "1",
          "1." + std::string(1, static_cast<char>(value)),
          "1" + std::string(1, static_cast<char>(value)) + "5"}) {
      CAPTURE(value);
      CHECK(ParseDecimal(text, 6) == Oracle(text, 6));
    }
  }
}

TEST_CASE("The largest value parses and one more does not") {
  CHECK(ParseDecimal("9223372036854775807", 0) == kMax64);
  CHECK_FALSE(ParseDecimal("9223372036854775808", 0).has_value());
  CHECK(ParseDecimal("9223372036854.775807", 6) == kMax64);
  CHECK_FALSE(ParseDecimal("9223372036854.775808", 6).has_value());
  CHECK_FALSE(ParseDecimal("9223372036855", 6).has_value());
  CHECK_FALSE(ParseDecimal(std::string(1'000, '9'), 6).has_value());
  CHECK_FALSE(ParseDecimal("0." + std::string(1'000, '0'), 6).has_value());
}

TEST_CASE("Every value prints to a string that parses back to it") {
  std::mt19937_64 random(1);
  const auto check = [](int64_t value) {
    for (const int decimals : {0, 1, 2, 6}) {
      for (int least = 0; least <= decimals; ++least) {
        const std::string text = FormatDecimal(value, decimals, least);
        const bool agrees = Oracle(text, decimals) == value;
        CAPTURE(text);
        if (!agrees) CHECK(agrees);
        // Nothing shorter with as many digits behind the point as demanded says the same.
        const size_t point = text.find('.');
        const size_t behind = point == std::string::npos ? 0 : text.size() - point - 1;
        const bool is_shortest = behind == static_cast<size_t>(least) || text.back() != '0';
        if (!is_shortest) CHECK(is_shortest);
        if (behind < static_cast<size_t>(least)) CHECK(behind >= static_cast<size_t>(least));
      }
    }
  };
  for (int64_t value = 0; value < 30'000; ++value) check(value);
  for (int i = 0; i < 30'000; ++i) check(static_cast<int64_t>(random() >> (1 + random() % 63)));
  for (const int64_t value : {kMax64, kMax64 - 1}) check(value);
}

TEST_CASE("Negative values print with a sign, the most negative one too") {
  CHECK(FormatDecimal(-1, 6, 0) == "-0.000001");
  CHECK(FormatDecimal(-2'500'000, 6, 2) == "-2.50");
  CHECK(FormatDecimal(kMin64, 0, 0) == "-9223372036854775808");
  CHECK(FormatDecimal(kMin64, 6, 2) == "-9223372036854.775808");
}

TEST_CASE("Prices show cents at least") {
  CHECK(FormatPrice(Price(2'500'000)) == "2.50");
  CHECK(FormatPrice(Price(2'501'000)) == "2.501");
  CHECK(FormatPrice(Price(0)) == "0.00");
  CHECK(ParsePrice("2.5") == Price(2'500'000));
  CHECK(ParsePrice("2.500000") == Price(2'500'000));
  CHECK_FALSE(ParsePrice("2.5000000").has_value());
  CHECK_FALSE(ParsePrice("-2.50").has_value());
  CHECK(FormatTokenPrice(TokenPrice(2'000'000)) == "2.00");
  CHECK(ParseTokenPrice("2.00") == TokenPrice(2'000'000));
  CHECK_FALSE(ParseTokenPrice("2.").has_value());
}

TEST_CASE("Tokens show no more digits than they need") {
  CHECK(FormatTokens(Tokens(12'500'000)) == "12.5");
  CHECK(FormatTokens(Tokens(400'000'000'000'000)) == "400000000");
  CHECK(FormatTokens(Tokens(1)) == "0.000001");
  CHECK(ParseTokens("12.5") == Tokens(12'500'000));
  CHECK_FALSE(ParseTokens(".5").has_value());
}

TEST_CASE("Credits show as dollars, rounded down") {
  CHECK(FormatUsd(Credits(1'200'000'000)) == "20.00");
  CHECK(FormatUsd(Credits(59)) == "0.00");
  CHECK(FormatUsd(Credits(60)) == "0.000001");
  CHECK(FormatUsd(Credits(-1)) == "-0.000001");
  CHECK(FormatUsd(Credits(-60)) == "-0.000001");
  CHECK(FormatUsd(Credits(-61)) == "-0.000002");
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto credits = static_cast<int64_t>(random()) >> (random() % 63);
    Wide micro_usd = Wide(credits) / 60;
    if (micro_usd * 60 > credits) --micro_usd;
    const std::string text = FormatDecimal(static_cast<int64_t>(micro_usd), 6, 2);
    const bool agrees = FormatUsd(Credits(credits)) == text;
    if (!agrees) CHECK(agrees);
  }
}

TEST_CASE("Dollars become credits exactly") {
  CHECK(ParseUsd("20.00") == Credits(1'200'000'000));
  CHECK(ParseUsd("0.000001") == Credits(60));
  CHECK(ParseUsd("153722867280.912930") == Credits(153'722'867'280'912'930 * 60));
  CHECK_FALSE(ParseUsd("153722867280.912931").has_value());
  CHECK_FALSE(ParseUsd("0.0000001").has_value());
}

}  // namespace
}  // namespace warpbook
