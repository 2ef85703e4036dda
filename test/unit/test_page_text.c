/* source/probe/page_text: what of a page counts, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/probe/page_text.h"

#include <stdlib.h>
#include <string.h>

static const char *hash_in_pieces(const char *page, size_t piece, bool is_html)
{
    static char hex[PAGE_HASH_TEXT];
    struct page_text text;
    size_t n = strlen(page);
    page_text_init(&text, is_html);
    for (size_t at = 0; at < n; at += piece)
        page_text_feed(&text, page + at, n - at < piece ? n - at : piece);
    page_text_done(&text, hex);
    return hex;
}

/* SHA-256 of the text itself. */
static void assert_text(const char *page, const char *text)
{
    char expected[PAGE_HASH_TEXT];
    strcpy(expected, hash_in_pieces(text, 1000, false));
    for (size_t piece = 1; piece <= strlen(page); piece++)
        if (strcmp(hash_in_pieces(page, piece, true), expected) != 0)
            fail_msg("'%s' in pieces of %zu is not '%s'", page, piece, text);
}

static void test_known_hash(void **state)
{
    (void)state;
    /* printf abc | sha256sum */
    assert_string_equal(hash_in_pieces(" abc\n", 1, false),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hash_in_pieces("", 1, true),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_pages(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"hello", "hello"},
        {"  hello \n\t world ", "hello world"},
        {"<p class=x>hello</p><p>world", "hello world"},
        {"<p title='a > b'>hello", "hello"},
        {"<p title=\"it's > b\">hello", "hello"},
        {"a<!-- > -> --- token 17 --->b<!---->c", "a b c"},
        {"a<script nonce=\"17\">var x = \"</p>\" < 3;</script >b", "a b"},
        {"a<SCRIPT>x</scrip></SCRIPT>b", "a b"},
        {"a<style>p > q { }</style>b<scripted>c", "a b c"},
        {"a</script>b", "a b"},
        {"a<script src=\"x\"/>b</script>c", "a c"},
        {"a<script>b", "a"},
        {"a<b", "a"},
        {"조선<b>중앙</b>", "조선 중앙"},
        {"1 < 2", "1"}, /* as a tag that never ends */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_text(cases[i][0], cases[i][1]);
}

/* What changes with each visit without being seen does not matter; a word does. */
static void test_sameness(void **state)
{
    (void)state;
    char one[PAGE_HASH_TEXT];
    strcpy(one, hash_in_pieces("<a href='?session=17'>news</a><script>t=17</script>", 7, true));
    assert_string_equal(
        one, hash_in_pieces("<a href='?session=18'>news</a>\n<script>t=18</script>", 5, true));
    assert_string_not_equal(one, hash_in_pieces("<a href='?session=17'>new</a>", 7, true));
    strcpy(one, hash_in_pieces("{\"a\":\"<b>\"}", 3, false)); /* no HTML */
    assert_string_not_equal(one, hash_in_pieces("{\"a\":\"<c>\"}", 3, false));
}

static void test_long(void **state)
{
    (void)state;
    char *page = malloc(100001), *plain = malloc(100001), expected[PAGE_HASH_TEXT];
    assert_non_null(page);
    assert_non_null(plain);
    memset(page, 'x', 100000);
    page[100000] = '\0';
    memcpy(plain, page, 100001);
    strcpy(expected, hash_in_pieces(plain, 100000, false));
    assert_string_equal(hash_in_pieces(page, 333, true), expected);
    free(page);
    free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_hash),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_sameness),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
