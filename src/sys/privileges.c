#include "sys/privileges.h"

#include <cap-ng.h>
#include <stdbool.h>

static bool is_kept(unsigned capability)
{
    return capability == CAP_NET_BIND_SERVICE || capability == CAP_DAC_OVERRIDE;
}

enum err privileges_drop(struct why *why)
{
    capng_clear(CAPNG_SELECT_ALL); /* what another thread may have read */
    if (capng_get_caps_process())
        return why_set(why, ERR_IO, "cannot read what this process may do: is /proc mounted?");
    if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
        return ERR_OK;
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
        if (!is_kept(capability))
            capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
                         capability);
    if (capng_apply(CAPNG_SELECT_CAPS))
        return why_set(why, ERR_DENIED, "cannot give up the capabilities that are not needed");
    return ERR_OK;
}
