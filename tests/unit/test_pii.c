/* SPDX-License-Identifier: Apache-2.0 */
#include "pii.h"

#include "test.h"

static struct pii w;
static struct buf out;

static const char *masked(const char *text)
{
	out.n = 0;
	return pii_mask(&w, text, strlen(text), &out) ? out.p : text;
}

static const char *json(const char *text)
{
	out.n = 0;
	return pii_mask_json(&w, text, strlen(text), &out) ? out.p : text;
}

static void cards(void)
{
	CHECK_STR(masked("4111111111111111"), "[CARD]");
	CHECK_STR(masked("4111111111111112"), "4111111111111112");
	CHECK_STR(masked("5500 0055 5555 5559, 3782-822463-10005"), "[CARD], [CARD]");
	CHECK_STR(masked("4111 1111-1111 1111"), "4111 1111-1111 1111");
	CHECK_STR(masked("卡6222021001116245702。"), "卡[CARD]。");
	CHECK_STR(masked("2024 4111 1111 1111 1111 12/26"), "2024 [CARD] 12/26");
	CHECK_STR(masked("1234567812345670"), "1234567812345670");         /* Luhn, but nobody's */
	CHECK_STR(masked("x4111111111111111 4111111111111111y 0.4111111111111111 4111111111111111.5"),
	          "x4111111111111111 4111111111111111y 0.4111111111111111 4111111111111111.5");
	CHECK_STR(masked("41111111111111114111111111111111"), "41111111111111114111111111111111");
	CHECK_STR(masked("４１１１１１１１１１１１１１１１"), "[CARD]");
}

static void residents(void)
{
	CHECK_STR(masked("11010519491231002X"), "[ID]");
	CHECK_STR(masked("11010519491231002x，440524188001010014"), "[ID]，[ID]");
	CHECK_STR(masked("110105 19491231 002X"), "[ID]");
	CHECK_STR(masked("110105194912310021"), "110105194912310021");
	CHECK_STR(masked("11010519491331002X"), "11010519491331002X");     /* month 13 */
	CHECK_STR(masked("11010519491231002XY"), "11010519491231002XY");
}

static void phones(void)
{
	CHECK_STR(masked("13812345678 138-1234-5678 8613812345678 +86 138 1234 5678"), "[PHONE] [PHONE] [PHONE] [PHONE]");
	CHECK_STR(masked("12812345678 138123456789 1381234567"), "12812345678 138123456789 1381234567");
	CHECK_STR(masked("010-62345678 (021) 6234 5678 0755 2345 6789"), "[PHONE] [PHONE] [PHONE]");
	CHECK_STR(masked("415-555-2671 1-415-555-2671 (415) 555-2671"), "[PHONE] [PHONE] [PHONE]");
	CHECK_STR(masked("+44 (0)20 7946 0958 +33 6 12 34 56 78"), "[PHONE] [PHONE]");
	CHECK_STR(masked("07700 900123"), "[PHONE]");
	CHECK_STR(masked("550e8400-e29b-41d4-a716-046655440000"), "550e8400-e29b-41d4-a716-046655440000");
	CHECK_STR(masked("2024-11-24 10:30, 01-02-2024, +3.14159265358"), "2024-11-24 10:30, 01-02-2024, +3.14159265358");
}

static void others(void)
{
	CHECK_STR(masked("a.b+c@mail.example.com."), "[EMAIL].");
	CHECK_STR(masked("邮箱abc@x.cn联系 13812345678@163.com"), "邮箱[EMAIL]联系 [EMAIL]");
	CHECK_STR(masked("@user a@b x@y. 3 @ 4.50 a@b.1"), "@user a@b x@y. 3 @ 4.50 a@b.1");
	CHECK_STR(masked("DE89370400440532013000 gb82 west 1234 5698 7654 32"), "[IBAN] [IBAN]");
	CHECK_STR(masked("DE89370400440532013001 XX89370400440532013000"), "DE89370400440532013001 XX89370400440532013000");
	CHECK_STR(masked(""), "");
	CHECK_STR(masked("\\n13812345678 \\u4e2d13812345678 \\u534113812345678"), "\\n[PHONE] \\u4e2d[PHONE] \\u5341[PHONE]");
}

static void in_json(void)
{
	CHECK_STR(json("{\"13812345678\":[\"a\\n13812345678\",13812345678,{\"n\":1.5e3}],\"k\" : \"x@y.com\"}"),
	          "{\"13812345678\":[\"a\\n[PHONE]\",\"[PHONE]\",{\"n\":1.5e3}],\"k\" : \"[EMAIL]\"}");
	CHECK_STR(json("\"\\u6211\\ud83d\\ude0013812345678\\\"\""), "\"我😀[PHONE]\\\"\"");
	CHECK_STR(json("[1234567,1234567]"), "[1234567,1234567]");
	CHECK_STR(json("-13812345678"), "\"-[PHONE]\"");
}

static void counts(void)
{
	memset(w.count, 0, sizeof w.count);
	masked("4111111111111111 13812345678 x@y.com 13912345678");
	CHECK(w.count[PII_CARD] == 1 && w.count[PII_PHONE] == 2 && w.count[PII_EMAIL] == 1 && w.count[PII_ID] == 0 && w.count[PII_IBAN] == 0);
}

int main(void)
{
	TEST(cards);
	TEST(residents);
	TEST(phones);
	TEST(others);
	TEST(in_json);
	TEST(counts);
	pii_release(&w);
	buf_free(&out);
	return test_end();
}
