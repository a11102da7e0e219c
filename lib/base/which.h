#ifndef OE__BASE_WHICH_H
#define OE__BASE_WHICH_H

/*
 * Programs by name, as a shell finds them: what starts ours has no PATH of its own.
 */

/* The first executable `name` in the folders of `path` ("/usr/bin:/bin"), or `name` itself if it has
   a slash or is in none of them: then starting it says that. A new string; NULL: no memory. */
char *oe__which(const char *name, const char *path);

/* The value of PATH among "NAME=value" texts, NULL-terminated; or the usual folders. Borrowed. */
const char *oe__which_path(const char *const *variables);

#endif /* OE__BASE_WHICH_H */
