/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a page as text or data cannot become markup. */
#include <stdbool.h>

#include "htmlpage.h"

#include "test.h"

static struct buf b;

static bool has(const char *text)
{
	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static void text_is_escaped(void)
{
	static const char text[] = "a<b> & \"c\" 'd'\n\t\x01\xe4\xb8\xad";

	html_text(&b, text, sizeof text - 1);
	CHECK_STR(b.p, "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n\t\xef\xbf\xbd\xe4\xb8\xad");
	buf_free(&b);
}

static void the_head_allows_no_request(void)
{
	html_begin(&b, "</title><b>", ".x{}\n");
	CHECK(has("<title>&lt;/title&gt;&lt;b&gt;</title>"));
	CHECK(has("--on-accent") && has("\n.x{}\n</style>"));
	CHECK(has("default-src 'none'") && !has("http:") && !has("https:") && !has("url("));
	buf_free(&b);
}

static void data_does_not_end_its_element(void)
{
	static const char json[] = "{\"a\":\"</script><!--\"}";

	html_data(&b, "data", json, sizeof json - 1);
	CHECK_STR(b.p, "<script type=\"application/json\" id=\"data\">{\"a\":\"\\u003c/script\\u003e\\u003c!--\"}</script>\n");
	buf_free(&b);
	html_end(&b, "let a = 1;\n");
	CHECK_STR(b.p, "<script>\nlet a = 1;\n</script>\n</body>\n</html>\n");
	buf_free(&b);
}

int main(void)
{
	TEST(text_is_escaped);
	TEST(the_head_allows_no_request);
	TEST(data_does_not_end_its_element);
	return test_end();
}
