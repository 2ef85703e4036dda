#include "out/sections.h"

#include "out/sentence.h"

static const char *const measures[EVIDENCE_COUNT] = {
#define MEASURE(kind, text) [EVIDENCE_##kind] = text,
#include "out/measures.def"
#undef MEASURE
};

size_t settling_measures(const struct verdict *verdict, const char *texts[SETTLING_MAX])
{
    size_t count = 0;
    for (int i = 0; i < SETTLING_MAX; i++) {
        if (verdict->settling[i] >= EVIDENCE_COUNT)
            continue;
        const char *text = measures[verdict->settling[i]];
        bool is_new = count == 0 || texts[count - 1] != text;
        if (is_new)
            texts[count++] = text;
    }
    return count;
}

void leading_pair(const struct verdict *verdict, enum cause *first, enum cause *second)
{
    int at = verdict->order[0] == CAUSE_UNKNOWN;
    *first = (enum cause)verdict->order[at];
    at++;
    at += verdict->order[at] == CAUSE_UNKNOWN;
    *second = (enum cause)verdict->order[at];
}

int reason_kind(const struct verdict *verdict, enum cause cause)
{
    enum cause leader, second;
    leading_pair(verdict, &leader, &second);
    return strongest_evidence(verdict, cause, cause == leader ? CAUSE_COUNT : leader, -1);
}

const char *reason_words(const struct dossier *dossier, int kind)
{
    const struct verdict *verdict = dossier_verdict(dossier);
    if (kind == EVIDENCE_COUNT)
        return "nothing that was found sets it apart: it is less common to begin with";
    return sentence_short(dossier->arena, dossier->registry, &verdict->evidence[kind].finding);
}

size_t outside_limits(const struct verdict *verdict, const char *texts[LIMITS_MAX])
{
    bool has_stress = verdict_has_in_set(verdict, CAUSE_STRESS);
    bool has_switch = verdict_has_in_set(verdict, CAUSE_SITE_POWER) ||
                      verdict_has_in_set(verdict, CAUSE_DIRECTED) ||
                      verdict_has_in_set(verdict, CAUSE_CABLE);
    bool has_host =
        verdict_has_in_set(verdict, CAUSE_SINGLE_HOST) || verdict_has_in_set(verdict, CAUSE_SERVER);
    bool has_hijack = verdict_has_in_set(verdict, CAUSE_HIJACK);
    size_t count = 0;
    texts[count++] = "who, if anyone, caused it, and whether anyone meant to";
    if (has_stress)
        texts[count++] = "whether an overload was hostile, an error, or more visitors than usual";
    if (has_switch)
        texts[count++] = "whether a gateway lost power, lost its line, or was switched off";
    if (has_host)
        texts[count++] = "whether a silent host is off, unplugged or broken";
    if (has_hijack)
        texts[count++] = "whether a foreign announcement was a mistake or intended";
    texts[count++] = "what people inside could still reach among themselves";
    texts[count++] = "anything before the first sample or between two samples";
    return count;
}
