#include "core/detect/detect.h"

#include <string.h>

/* Controls: the last eight probes of each; seven lost in sixteen make the vantage unwell, a quarter
 * makes what it says doubtful meanwhile; to be well again takes five answers in a row. */
enum { CONTROL_WINDOW = 8, LOSS_LEAST = 12, STEADY_RUN = 5 };
static const double LOSS_UNWELL = 0.43, LOSS_DOUBTFUL = 0.25;

void detect_init(struct detect *d)
{
    memset(d, 0, sizeof *d);
    table_init(&d->series, sizeof(struct series));
    table_init(&d->vantages, sizeof(struct vantage));
    table_init(&d->own, sizeof(struct own_state));
    table_init(&d->waiting, sizeof(uint32_t));
    index_init(&d->series_index);
    index_init(&d->target_index);
    index_init(&d->vantage_index);
    index_init(&d->own_index);
    d->silence_due.ns = INT64_MAX;
}

void detect_done(struct detect *d)
{
    table_done(&d->series);
    table_done(&d->vantages);
    table_done(&d->own);
    table_done(&d->waiting);
    index_done(&d->series_index);
    index_done(&d->target_index);
    index_done(&d->vantage_index);
    index_done(&d->own_index);
}

void detect_save(const struct detect *d, struct buffer *out)
{
    table_save(&d->series, out);
    table_save(&d->vantages, out);
    table_save(&d->own, out);
    table_save(&d->waiting, out);
    index_save(&d->series_index, out);
    index_save(&d->target_index, out);
    index_save(&d->vantage_index, out);
    index_save(&d->own_index, out);
    buffer_varint(out, d->own_has_turned);
    buffer_zigzag(out, d->silence_due.ns);
    buffer_zigzag(out, d->first_data.ns);
    buffer_varint(out, d->capped);
}

bool detect_load(struct detect *d, struct reader *in)
{
    bool is_good = table_load(&d->series, in) && table_load(&d->vantages, in) &&
                   table_load(&d->own, in) && table_load(&d->waiting, in) &&
                   index_load(&d->series_index, in) && index_load(&d->target_index, in) &&
                   index_load(&d->vantage_index, in) && index_load(&d->own_index, in);
    d->own_has_turned = reader_varint(in) != 0;
    d->silence_due.ns = reader_zigzag(in);
    d->first_data.ns = reader_zigzag(in);
    d->capped = reader_varint(in);
    return is_good;
}

static uint32_t vantage_row(struct detect *d, uint32_t id)
{
    uint32_t found = index_find(&d->vantage_index, id);
    if (found)
        return found - 1;
    if (d->vantages.count >= DETECT_VANTAGES_MAX) {
        d->capped++;
        return UINT32_MAX;
    }
    struct vantage *vantage = table_add(&d->vantages);
    vantage->id = id;
    index_put(&d->vantage_index, id, (uint32_t)d->vantages.count - 1);
    return (uint32_t)d->vantages.count - 1;
}

static uint32_t new_series(struct detect *d, const struct registry *registry,
                           const struct observation *o, struct vantage *vantage)
{
    if (d->series.count >= DETECT_SERIES_MAX) {
        d->capped++;
        return UINT32_MAX;
    }
    bool is_control = registry_kind(registry, o->target) == NAME_CONTROL;
    struct series *s = table_add(&d->series);
    uint32_t row = (uint32_t)d->series.count - 1;
    const struct target *target = registry_target(registry, o->target);
    series_init(s, o->source, o->target, is_control, is_control ? LAYER_CONTROL : target->layer);
    s->is_network = target->kind == TARGET_BLOCK;
    if (is_control) {
        s->next = vantage->first_control;
        vantage->first_control = row + 1;
    } else {
        s->next = index_find(&d->target_index, o->target);
        index_put(&d->target_index, o->target, row);
    }
    index_put(&d->series_index, key_of(o->source, o->target), row);
    return row;
}

static void await_publishing(struct detect *d, uint32_t row)
{
    struct series *s = detect_series(d, row);
    if (s->is_waiting)
        return;
    s->is_waiting = true;
    *(uint32_t *)table_add(&d->waiting) = row;
}

static void emit_silent(struct series *s, bool is_open, struct interval at, struct utc now,
                        struct numbers *numbers, struct conclusions *out)
{
    if (!s->notice)
        s->notice = ++numbers->notice;
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = s->notice,
                        .source = s->source,
                        .target = s->target,
                        .kind = NOTICE_SERIES_SILENT,
                        .is_open = is_open,
                        .began = is_open ? at : s->silent_began,
                        .ended = is_open ? (struct interval){{0}, {0}} : at};
    s->silent_began = at;
    if (!is_open)
        s->notice = 0;
}

static void hear_vantage(struct vantage *v, struct utc now)
{
    int64_t gap = utc_is_known(v->last_any) ? utc_diff(now, v->last_any) : 0;
    if (gap > v->round_ns)
        v->round_ns += v->round_ns ? (gap - v->round_ns) / 8 : gap;
    else if (gap > 0)
        v->round_ns -= (v->round_ns - gap) / 64;
    v->last_any = now;
}

static void emit_gap(struct vantage *v, bool is_open, bool was_told, struct numbers *numbers,
                     struct utc now, struct conclusions *out)
{
    struct interval ended = {{v->gap.first_after.ns - (was_told ? 0 : v->round_ns)},
                             v->gap.first_after};
    if (!v->gap_notice)
        v->gap_notice = ++numbers->notice;
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = v->gap_notice,
                        .source = v->id,
                        .kind = NOTICE_SOURCE_GAP,
                        .is_open = is_open,
                        .began = {v->gap.last_before, v->gap.last_before},
                        .ended = is_open ? (struct interval){{0}, {0}} : ended};
    if (!is_open)
        v->gap_notice = 0;
}

/* Did the vantage's resolver find the name that this target is asked by? Zones are found without it. */
static bool has_resolved(const struct registry *registry, const struct observation *o)
{
    const struct target *target = registry_target(registry, o->target);
    return target && !target->addr.family && target->kind != TARGET_ZONE &&
           o->stage > STAGE_RESOLVE && outcome_class(o->outcome) != OUTCOME_CLASS_OURS;
}

/* A check of the vantage's own. */
static void hear_own(struct detect *d, const struct registry *registry, const struct observation *o,
                     struct numbers *numbers, struct conclusions *out)
{
    uint64_t key = key_of(o->source, o->target);
    uint32_t at = vantage_row(d, o->source), found = index_find(&d->own_index, key);
    if (at == UINT32_MAX)
        return;
    if (!found) {
        struct own_state *fresh = table_add(&d->own);
        struct vantage *v = detect_vantage(d, at);
        own_init(fresh, o->source, o->target, registry_target(registry, o->target)->check);
        fresh->next = v->first_own;
        v->first_own = found = (uint32_t)d->own.count;
        index_put(&d->own_index, key, found - 1);
    }
    if (own_feed(table_at(&d->own, found - 1), o, numbers, out))
        d->own_has_turned = true;
}

static void hear_probe(struct detect *d, struct watch_list *watch, const struct registry *registry,
                       const struct observation *o, struct numbers *numbers,
                       struct conclusions *out)
{
    enum name_kind kind = registry_kind(registry, o->target);
    bool is_asked = kind == NAME_TARGET || kind == NAME_CONTROL;
    if (registry_own_check(registry, o->target) >= 0) {
        hear_own(d, registry, o, numbers, out);
        return;
    }
    uint32_t at = vantage_row(d, o->source);
    if (!is_asked || at == UINT32_MAX)
        return;
    struct vantage *v = detect_vantage(d, at);
    uint32_t found = index_find(&d->series_index, key_of(o->source, o->target));
    if (!found && o->path)
        return; /* what is only asked out of turn is no question over time */
    uint32_t row = found ? found - 1 : new_series(d, registry, o, v);
    if (row == UINT32_MAX)
        return;
    struct series *s = detect_series(d, row);
    if (v->is_silent) {
        v->is_silent = false;
        v->gap.first_after = o->time;
        emit_gap(v, false, false, numbers, o->time, out);
    }
    hear_vantage(v, o->time);
    if (has_resolved(registry, o))
        v->last_resolved = o->time;
    if (s->notice)
        emit_silent(s, false, (struct interval){s->last_any, o->time}, o->time, numbers, out);
    if (o->time.ns < v->blind_until.ns || (v->is_unwell && !s->is_control)) {
        series_pass(s, o->time, o->path != 0);
    } else {
        uint32_t address = s->address;
        if (series_probe(s, o))
            await_publishing(d, row);
        if (s->address != address)
            watch_set_address(watch, registry, o->target, s->address);
    }
    struct utc due = series_silence_due(s);
    if (due.ns < d->silence_due.ns)
        d->silence_due = due;
}

/* What the vantage's series believed is void from `from` on. */
static void restart_series(struct detect *d, const struct vantage *v, struct utc from)
{
    for (uint32_t row = 0; row < d->series.count; row++) {
        struct series *s = detect_series(d, row);
        if (s->source != v->id || (v->is_unwell && s->is_control))
            continue;
        series_restart(s, from);
        await_publishing(d, row);
    }
}

static void hear_gap(struct detect *d, const struct observation *o, struct numbers *numbers,
                     struct conclusions *out)
{
    uint32_t row = vantage_row(d, o->source);
    if (row == UINT32_MAX)
        return;
    struct vantage *v = detect_vantage(d, row);
    v->gap = (struct interval){o->time, {o->value}};
    v->blind_until.ns = o->value > v->blind_until.ns ? o->value : v->blind_until.ns;
    if (v->last_any.ns < o->value)
        v->last_any.ns = o->value; /* told, so not silent */
    v->is_silent = false;
    emit_gap(v, false, true, numbers, o->time, out);
    restart_series(d, v, o->time);
    for (uint32_t i = 0; i < d->series.count; i++) {
        struct series *s = detect_series(d, i);
        if (s->source == v->id && s->last_any.ns < o->value)
            s->last_any.ns = s->last_judged.ns = s->last_sample.ns = o->value;
    }
}

static void hear_stop(struct detect *d, const struct observation *o)
{
    uint32_t row = vantage_row(d, o->source);
    if (row == UINT32_MAX)
        return;
    restart_series(d, detect_vantage(d, row), o->time);
    for (uint32_t i = 0; i < d->series.count; i++)
        if (detect_series(d, i)->source == o->source)
            detect_series(d, i)->is_silent = true;
}

void detect_feed(struct detect *d, struct watch_list *watch, const struct registry *registry,
                 const struct observation *o, struct numbers *numbers, struct conclusions *out)
{
    if (!utc_is_known(d->first_data))
        d->first_data = o->time;
    if (o->kind == OBSERVATION_PROBE)
        hear_probe(d, watch, registry, o, numbers, out);
    else if (registry_kind(registry, o->source) != NAME_VANTAGE)
        return;
    else if (o->kind == OBSERVATION_GAP)
        hear_gap(d, o, numbers, out);
    else if (o->kind == OBSERVATION_STOP)
        hear_stop(d, o);
}

void detect_controls(const struct detect *d, const struct vantage *v, uint32_t *up, uint32_t *all)
{
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        *all += c->condition != CONDITION_NO_DATA;
        *up += c->condition != CONDITION_NO_DATA && c->condition != CONDITION_DOWN && !c->is_lossy;
    }
}

/* When the controls that fail began to: the first of them. Where all only lose many probes, it
 * began some time after the last answer before those losses. */
static struct interval controls_lost(const struct detect *d, const struct vantage *v,
                                     struct utc now)
{
    struct interval lost = {{INT64_MAX}, {INT64_MAX}}, lossy = {{INT64_MAX}, now};
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        bool fails = c->condition == CONDITION_DOWN || c->is_lossy;
        if (fails && c->since.first_after.ns < lost.first_after.ns)
            lost = c->since;
        struct utc before = c->loss_sum > 0 ? c->loss_began.last_before : c->last_good;
        if (before.ns < lossy.last_before.ns)
            lossy.last_before = before;
    }
    return lost.first_after.ns != INT64_MAX ? lost : lossy;
}

/* How many of the controls fail or lost something lately. */
static uint16_t controls_failing(const struct detect *d, const struct vantage *v)
{
    uint32_t n = 0;
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        n += c->condition == CONDITION_DOWN || c->is_lossy || series_loss(c) > 0;
    }
    return (uint16_t)n;
}

/* When those that are well now came back: the last of them. */
static struct interval controls_back(const struct detect *d, const struct vantage *v)
{
    struct interval back = {{0}, {0}};
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        if (c->condition == CONDITION_UP && c->since.first_after.ns > back.first_after.ns)
            back = c->since;
    }
    return back;
}

/* The vital check of its own that fails for longest; NULL: none does. */
static const struct own_state *own_fault(const struct detect *d, const struct vantage *v)
{
    const struct own_state *worst = NULL;
    for (uint32_t row = v->first_own; row;) {
        const struct own_state *own = table_at(&d->own, row - 1);
        if (own->is_failing && own_check_is_vital((enum own_check)own->check) &&
            (!worst || own->since.first_after.ns < worst->since.first_after.ns))
            worst = own;
        row = own->next;
    }
    return worst;
}

/* When it was well again: the last control, or check of its own that had failed, to come back. */
static struct interval well_since(const struct detect *d, const struct vantage *v)
{
    struct interval well = controls_back(d, v);
    for (uint32_t row = v->first_own; row;) {
        const struct own_state *own = table_at(&d->own, row - 1);
        if (own_check_is_vital((enum own_check)own->check) &&
            own->since.first_after.ns > well.first_after.ns)
            well = own->since;
        row = own->next;
    }
    return well;
}

static void emit_unwell(const struct detect *d, struct vantage *v, struct numbers *numbers,
                        struct utc now, struct conclusions *out)
{
    if (!v->unwell_notice)
        v->unwell_notice = ++numbers->notice;
    struct interval ended = well_since(d, v);
    conclusions_add(out, CONCLUSION_NOTICE, now)->notice =
        (struct notice){.id = v->unwell_notice,
                        .source = v->id,
                        .kind = NOTICE_VANTAGE_UNWELL,
                        .is_open = v->is_unwell,
                        .n = v->failed,
                        .m = v->controls,
                        .began = v->unwell,
                        .ended = v->is_unwell ? (struct interval){{0}, {0}} : ended};
    if (!v->is_unwell)
        v->unwell_notice = 0;
}

/* Losses among the last probes of all controls that are not down: [0, 1], 0 while they are too few.
 */
static double controls_loss(const struct detect *d, const struct vantage *v, uint32_t least)
{
    uint32_t lost = 0, n = 0;
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        if (c->condition == CONDITION_DOWN || c->condition == CONDITION_NO_DATA)
            continue;
        uint32_t take = c->window_n < CONTROL_WINDOW ? c->window_n : CONTROL_WINDOW;
        uint32_t bits = c->window & ((UINT32_C(1) << take) - 1);
        lost += (uint32_t)__builtin_popcount(bits);
        n += take;
    }
    return n >= least && n ? (double)lost / n : 0;
}

/* Most controls have been well for some time: two answers in a row mean little on a line that loses
 * half. */
static bool are_steady(const struct detect *d, const struct vantage *v, uint32_t all)
{
    uint32_t steady = 0;
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *c = detect_series(d, row - 1);
        steady += c->condition == CONDITION_UP && c->good_run >= STEADY_RUN;
    }
    return steady * 2 > all || steady == all;
}

static bool fails_now(const struct detect *d, const struct vantage *v, uint32_t up, uint32_t all)
{
    bool is_failing = (all - up) * 2 > all || controls_loss(d, v, LOSS_LEAST) >= LOSS_UNWELL;
    bool is_recovering = !are_steady(d, v, all) || controls_loss(d, v, 1) >= LOSS_DOUBTFUL;
    return is_failing || (v->is_unwell && is_recovering);
}

static void judge_vantage(struct detect *d, struct vantage *v, struct utc now,
                          struct numbers *numbers, struct conclusions *out)
{
    uint32_t up = 0, all = 0;
    const struct own_state *fault = own_fault(d, v);
    detect_controls(d, v, &up, &all);
    if (!fault && !all && v->first_control)
        return; /* nothing is known of the controls: it stays what it was */
    bool is_unwell = fault || (all && fails_now(d, v, up, all));
    if (is_unwell == v->is_unwell)
        return;
    v->is_unwell = is_unwell;
    if (is_unwell) {
        v->unwell = fault ? fault->since : controls_lost(d, v, now);
        v->failed = controls_failing(d, v);
        v->controls = (uint16_t)all;
        restart_series(d, v, now);
    }
    emit_unwell(d, v, numbers, now, out);
}

/* A vantage that sent nothing at all has a gap; that its series are silent says no more. */
static void judge_vantage_silence(struct vantage *v, const struct series *s, struct utc now,
                                  struct numbers *numbers, struct conclusions *out)
{
    if (v->is_silent || utc_diff(v->last_any, s->last_any) >= s->round_ns ||
        utc_diff(now, v->last_any) < v->round_ns + v->round_ns / 4)
        return;
    v->is_silent = true;
    v->gap = (struct interval){v->last_any, {0}};
    emit_gap(v, true, false, numbers, now, out);
}

static void judge_silence(struct detect *d, struct utc now, struct numbers *numbers,
                          struct conclusions *out)
{
    if (now.ns < d->silence_due.ns)
        return;
    d->silence_due.ns = INT64_MAX;
    for (uint32_t row = 0; row < d->series.count; row++) {
        struct series *s = detect_series(d, row);
        if (series_silence(s, now)) {
            struct vantage *v = detect_vantage(d, index_find(&d->vantage_index, s->source) - 1);
            judge_vantage_silence(v, s, now, numbers, out);
            bool is_asked = utc_diff(now, s->last_any) <= utc_diff(now, s->last_judged) / 2;
            if (!v->is_silent && !is_asked && !s->is_control)
                emit_silent(s, true, s->since, now, numbers, out);
            await_publishing(d, row);
        }
        struct utc due = series_silence_due(s);
        if (due.ns < d->silence_due.ns)
            d->silence_due = due;
    }
}

/* Did the control answer in the onset, with the target failing again after that? */
static bool is_good_within(const struct series *s, struct utc good)
{
    int64_t onset = s->since.first_after.ns;
    int64_t middle = onset + (s->turned.ns - onset) / 2;
    return good.ns >= middle && (s->condition == CONDITION_DEGRADED || s->last_bad.ns > good.ns);
}

/* Together: an uplink that loses three packets in four lets a single answer pass now and then,
 * three in a row once in sixty times. */
enum { ANSWERS_MIN = 3 };

/* Through a whole phase of degradation: up since before it, and little lost lately beside the
 * target. */
static bool was_well_all_along(const struct series *control, const struct series *s)
{
    double most = s->is_lossy ? series_loss(s) / 4 : 0.1;
    return !control->is_lossy && !control->is_slow && control->condition == CONDITION_UP &&
           control->since.first_after.ns <= s->since.first_after.ns && series_loss(control) <= most;
}

/* Has this control shown that the vantage was well when the series changed? */
static bool control_vouches(const struct series *control, const struct series *s)
{
    int64_t round = control->round_ns > s->round_ns ? control->round_ns : s->round_ns;
    if (control->condition == CONDITION_DOWN ||
        (s->condition == CONDITION_DEGRADED && !was_well_all_along(control, s)))
        return false;
    if (!is_good_within(s, control->last_good) && !is_good_within(s, control->good_before))
        return false;
    return control->last_bad.ns < s->since.first_after.ns - 2 * round ||
           control->good_run >= STEADY_RUN;
}

/* How many good answers in a row the control has given in the onset: those to checks, which are some
 * seconds apart, and of others no more than its run, and than rounds have passed. */
static int64_t answers_since(const struct series *control, const struct series *s)
{
    int64_t onset = s->since.first_after.ns, checks = 0;
    int64_t middle = onset + (s->turned.ns - onset) / 2;
    for (unsigned i = 0; i < SERIES_CHECKS; i++)
        checks += control->good_checks[i].ns >= middle;
    if (checks && control->last_good.ns == control->good_checks[0].ns)
        return checks;
    int64_t passed = control->last_good.ns - middle;
    int64_t rounds = control->round_ns > 0 && passed > 0 ? passed / control->round_ns : 0;
    return checks + (rounds + 1 < control->good_run ? rounds + 1 : control->good_run);
}

/* A control that died long before the onset says nothing of it. */
static bool was_dead_before(const struct series *control, const struct series *s)
{
    return control->condition == CONDITION_DOWN &&
           control->since.first_after.ns < s->since.first_after.ns - 4 * control->round_ns;
}

/* Was the check good well into the onset? If it failed then, the series must have gone on failing for some
 * rounds after it was good again. */
static bool own_vouches(const struct own_state *own, const struct series *s)
{
    int64_t onset = s->since.first_after.ns, middle = onset + (s->turned.ns - onset) / 2;
    bool has_failed_since = own->last_bad.ns >= onset - s->round_ns;
    int64_t least =
        has_failed_since ? own->since.first_after.ns + ANSWERS_MIN * s->round_ns : onset;
    return !own->is_failing && own->last_good.ns >= middle &&
           (s->condition == CONDITION_DEGRADED || s->last_bad.ns >= least);
}

/* The checks of its own on which what the series says depends. One that is no longer made says nothing. */
static bool own_is_well(const struct detect *d, const struct vantage *v, const struct series *s)
{
    bool is_unresolved = s->bad_run && s->bad_stage == STAGE_RESOLVE;
    for (uint32_t row = v->first_own; row;) {
        const struct own_state *own = table_at(&d->own, row - 1);
        bool counts = own_check_is_vital((enum own_check)own->check) ||
                      (own->check == OWN_CHECK_RESOLVER && is_unresolved);
        if (counts && own_is_made(own, v->last_any) && !own_vouches(own, s))
            return false;
        row = own->next;
    }
    return true;
}

static bool is_vouched_for(const struct detect *d, const struct vantage *v, const struct series *s)
{
    if (s->is_control || s->condition < CONDITION_DEGRADED)
        return true;
    if (!own_is_well(d, v, s))
        return false;
    uint32_t vouching = 0, all = 0;
    if (controls_loss(d, v, 1) >= LOSS_DOUBTFUL)
        return false;
    int64_t answers = 0;
    for (uint32_t row = v->first_control; row; row = detect_series(d, row - 1)->next) {
        const struct series *control = detect_series(d, row - 1);
        if (control->is_silent || !utc_is_known(control->last_any) || was_dead_before(control, s))
            continue;
        all++;
        if (!control_vouches(control, s))
            continue;
        vouching++;
        answers += answers_since(control, s);
    }
    return (vouching == all && answers >= ANSWERS_MIN) || !all;
}

static void show_series(const struct detect *d, const struct watch_list *watch, struct series *s,
                        bool is_counted, struct utc now, struct conclusions *out)
{
    (void)d;
    s->shown = s->condition;
    conclusions_add(out, CONCLUSION_SERIES, now)->series =
        (struct series_state){.source = s->source,
                              .target = s->target,
                              .subject = s->is_control ? 0 : watch_subject_of(watch, s->target),
                              .layer = s->layer,
                              .condition = s->condition,
                              .outcome = s->outcome,
                              .is_counted = is_counted,
                              .was_up = s->was_up,
                              .since = s->since,
                              .belief = s->belief,
                              .loss = series_loss(s),
                              .rtt_ns = series_rtt(s),
                              .rtt_base_ns = series_rtt_base(s)};
}

/* For the vote: from what was told last to what is told now. */
static void note_turn(struct series *s, struct vantage *v)
{
    bool is_down = s->condition == CONDITION_DOWN;
    if (is_down && s->published != CONDITION_DOWN) {
        s->lost = s->since;
        if (!s->is_control && s->layer != LAYER_SERVICE && s->lost.first_after.ns > v->last_lost.ns)
            v->last_lost = s->lost.first_after;
        s->was_unresolved = s->layer == LAYER_SERVICE && s->bad_stage == STAGE_RESOLVE;
        s->was_servfail = s->was_unresolved && s->bad_outcome == OUTCOME_SERVER_FAILURE;
    } else if (!is_down && s->published == CONDITION_DOWN) {
        s->back = s->since;
    }
}

/* Tells what changed, unless it has to wait. True if it is settled. */
static bool publish(struct detect *d, struct watch_list *watch, uint32_t row, struct utc now,
                    struct table *changes, struct conclusions *out)
{
    struct series *s = detect_series(d, row);
    struct vantage *v = detect_vantage(d, index_find(&d->vantage_index, s->source) - 1);
    if (s->condition == s->shown)
        return true; /* it went back before anybody was told */
    if (v->is_unwell && s->condition != CONDITION_NO_DATA && !s->is_control)
        return false;
    if (!is_vouched_for(d, v, s))
        return false;
    show_series(d, watch, s, !v->is_unwell, now, out);
    if (!s->is_control)
        watch_mark(watch, s->target);
    if (s->condition == CONDITION_NO_DATA)
        return true;
    if (s->published != CONDITION_NO_DATA && s->published != s->condition && !s->is_control)
        *(struct change *)table_add(changes) =
            (struct change){row, s->published, s->condition, s->since};
    note_turn(s, v);
    s->published = s->condition;
    s->published_since = s->since;
    return true;
}

static bool any_unwell(const struct detect *d)
{
    for (uint32_t i = 0; i < d->vantages.count; i++)
        if (detect_vantage(d, i)->is_unwell)
            return true;
    return false;
}

void detect_settle(struct detect *d, struct watch_list *watch, struct utc now,
                   struct table *changes, struct numbers *numbers, struct conclusions *out)
{
    judge_silence(d, now, numbers, out);
    if (!d->waiting.count && !any_unwell(d) && !d->own_has_turned)
        return;
    d->own_has_turned = false;
    for (uint32_t i = 0; i < d->vantages.count; i++)
        judge_vantage(d, detect_vantage(d, i), now, numbers, out);
    size_t kept = 0;
    for (size_t i = 0; i < d->waiting.count; i++) {
        uint32_t row = *(uint32_t *)table_at(&d->waiting, i);
        bool is_settled = publish(d, watch, row, now, changes, out);
        detect_series(d, row)->is_waiting = !is_settled;
        if (!is_settled)
            *(uint32_t *)table_at(&d->waiting, kept++) = row;
    }
    d->waiting.count = kept;
}
