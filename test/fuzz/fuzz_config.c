/* Any bytes as a configuration: a configuration or faults, and never anything else. */
#include "app/config/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Every fault is one line that begins with the file, and none holds what a terminal might obey. */
static void check_faults(const struct buffer *faults)
{
    assert(faults->size > 0 && faults->bytes[faults->size - 1] == '\n');
    for (const char *at = faults->bytes; *at; at += strcspn(at, "\n") + 1)
        assert(strncmp(at, "fuzz:", 5) == 0);
    for (size_t i = 0; i < faults->size; i++)
        assert((unsigned char)faults->bytes[i] >= ' ' || faults->bytes[i] == '\n');
}

/* In order, each once, and asked so that a round fits into its time. */
static void check_blocks(const struct blocks_config *blocks)
{
    assert(blocks->count <= BLOCKS_MAX);
    assert(blocks->settings.timeout_ns > 0 &&
           blocks->settings.timeout_ns * TRINOCULAR_PROBES_MAX <= blocks->settings.round_ns);
    for (size_t i = 0; i < blocks->count; i++) {
        assert((blocks->plan[i].network & 0xff) == 0);
        assert(i == 0 || blocks->plan[i - 1].network < blocks->plan[i].network);
    }
}

static void check_config(const struct config *config)
{
    struct buffer text = {0};
    assert(config->subject_count > 0 && config->plan_count <= CONFIG_TARGETS_MAX);
    for (size_t i = 0; i < config->plan_count; i++) {
        const struct probe_plan *plan = &config->plan[i];
        assert(plan->timeout_ns > 0 && plan->timeout_ns <= plan->interval_ns && plan->count >= 1);
        assert(plan->is_control == (i < config->control_count));
    }
    check_blocks(&config->blocks);
    config_describe(config, false, &text);
    config_describe(config, true, &text);
    buffer_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct config config;
    struct buffer faults = {0};
    enum err err = config_parse("fuzz", bytes, n, &config, &faults, NULL);
    assert(err == ERR_OK || err == ERR_CONFIG);
    if (err) {
        check_faults(&faults);
    } else {
        check_config(&config);
        config_done(&config);
    }
    buffer_done(&faults);
    return 0;
}
