/* The index page of a folder, as Apache, nginx and others write it: HTML in which each file is a link.
 * Only the links are looked at, and of them only those that end in the name of an archive; whatever
 * else a page may hold is passed over. */
#ifndef SOURCE_WEB_INDEX_PAGE_H
#define SOURCE_WEB_INDEX_PAGE_H

#include "source/web/collector_site.h"

enum {
    INDEX_PAGE_MAX = 16 * 1024 * 1024, /* bytes; a month of RIS updates has about 2 MB */
    INDEX_NAMES_MAX = 50 * 1000        /* names of one page that are taken */
};

/* Adds the names of the page to `names`; returns how many. */
size_t index_page_read(const char *page, size_t n, struct site_names *names);

#endif
