#include "model/subject.h"

#include <string.h>

static const char *kind_phrase(enum name_kind kind)
{
    switch (kind) {
    case NAME_PREFIX:
        return "a prefix (expected ADDRESS/BITS, host bits zero)";
    case NAME_ASN:
        return "an AS number (expected digits only)";
    case NAME_COUNTRY:
        return "a country (expected the two capital letters of ISO 3166-1)";
    default:
        return "a name";
    }
}

/* Interns a member; 0 with a reason if it is malformed. */
static uint32_t intern_member(const struct member_spec *member, struct registry *registry,
                              struct why *why)
{
    size_t n = strlen(member->text);
    struct target target;
    if (member->kind == NAME_TARGET && target_parse(member->text, n, &target, why))
        return 0;
    if (member->kind == NAME_TARGET && target.kind == TARGET_SELF) {
        why_set(why, ERR_INPUT, "'%.100s' tells of the vantage, and of no subject", member->text);
        return 0;
    }
    uint32_t id = registry_intern(registry, member->kind, member->text, n);
    if (!id)
        why_set(why, ERR_INPUT, "'%.100s' is not %s", member->text, kind_phrase(member->kind));
    return id;
}

enum err subject_emit(const struct subject_spec *spec, struct utc time, const struct sink *sink,
                      struct why *why)
{
    for (size_t i = 0; i < spec->member_count; i++)
        if (!intern_member(&spec->members[i], sink->registry, why))
            return ERR_INPUT;
    uint32_t subject =
        registry_intern(sink->registry, NAME_SUBJECT, spec->name, strlen(spec->name));
    if (!subject)
        return why_set(why, ERR_LIMIT, "the registry of names is full");
    const char *title = spec->title ? spec->title : "";
    struct observation head = {
        .kind = OBSERVATION_SUBJECT,
        .time = time,
        .target = subject,
        .path = *title ? registry_intern(sink->registry, NAME_TEXT, title, strlen(title)) : 0,
        .code = spec->is_reconstruction ? SUBJECT_IS_RECONSTRUCTION : 0,
        .value = spec->utc_offset_s};
    sink_emit(sink, &head);
    for (size_t i = 0; i < spec->member_count; i++) {
        struct observation member = {.kind = OBSERVATION_MEMBER,
                                     .time = time,
                                     .target =
                                         intern_member(&spec->members[i], sink->registry, why),
                                     .peer = subject,
                                     .value = spec->members[i].interval_ns};
        sink_emit(sink, &member);
    }
    return ERR_OK;
}
