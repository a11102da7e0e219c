/*
 * Settings of a hub. See settings.h.
 */

#include "hub/settings.h"

#include <math.h>

#include "base/alloc.h"
#include "base/limits.h"

int32_t oe__effective_bins(int64_t wanted, size_t archive_size, size_t dimensions)
{
	double per_axis = floor(pow((double)archive_size, 1.0 / (double)dimensions) + 0.99);
	double bins = fmax((double)wanted, per_axis);

	return (int32_t)fmin(bins, OE__BINS_MAX);
}

int64_t oe__effective_window(const struct oe__hub_settings *settings)
{
	return settings->window > 0 ? settings->window : OE__WINDOW_DEFAULT;
}

int oe__hub_settings_copy(const struct oe__hub_settings *from, struct oe__hub_settings *out)
{
	size_t size = from->axes->dimensions.count * sizeof(*from->bins);
	int32_t *bins = oe__memdup(from->bins, size);

	if (!bins)
		return OE_ERR_NOMEM;
	*out = *from;
	out->bins = bins;
	oe__axes_ref(out->axes);
	return 0;
}

void oe__hub_settings_done(struct oe__hub_settings *settings)
{
	oe__axes_unref(settings->axes);
	oe__free(settings->bins);
	*settings = (struct oe__hub_settings){ 0 };
}
