/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measure for the FUSE door: a file system on libfuse's low-level API that does as little as
 * io.netfs4j.bench.NullFuse. One file, "data"; what is written is thrown away, the size is kept,
 * reads give zeros.
 *
 *   gcc -O2 -o nullfuse nullfuse.c $(pkg-config --cflags --libs fuse3)
 *   ./nullfuse -f DIRECTORY
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_INO 2
#define VALID_SECONDS 3600.0
#define READ_BYTES_MAX (1 << 20)

static atomic_llong size;
static char zeros[READ_BYTES_MAX];

static void fill(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	if (ino == FUSE_ROOT_ID) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
	} else {
		st->st_mode = S_IFREG | 0644;
		st->st_nlink = 1;
		st->st_size = atomic_load(&size);
	}
}

static void grow(off_t end)
{
	long long now = atomic_load(&size);

	while (end > now && !atomic_compare_exchange_weak(&size, &now, end))
		;
}

static void fill_entry(struct fuse_entry_param *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->ino = DATA_INO;
	entry->generation = 1;
	entry->attr_timeout = VALID_SECONDS;
	entry->entry_timeout = VALID_SECONDS;
	fill(DATA_INO, &entry->attr);
}

static void null_init(void *userdata, struct fuse_conn_info *conn)
{
	(void) userdata;
	/* As the door under test: its own word on what the kernel has cached. */
	if (conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA) {
		conn->want |= FUSE_CAP_EXPLICIT_INVAL_DATA;
		conn->want &= ~FUSE_CAP_AUTO_INVAL_DATA;
	}
	conn->max_background = 64;
}

static void null_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry;

	if (parent != FUSE_ROOT_ID || strcmp(name, "data") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill_entry(&entry);
	fuse_reply_entry(req, &entry);
}

static void null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void) fi;
	fill(ino, &st);
	fuse_reply_attr(req, &st, VALID_SECONDS);
}

static void null_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
			 struct fuse_file_info *fi)
{
	if (to_set & FUSE_SET_ATTR_SIZE)
		atomic_store(&size, attr->st_size);
	null_getattr(req, ino, fi);
}

static void null_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void) ino;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void null_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			struct fuse_file_info *fi)
{
	struct fuse_entry_param entry;

	(void) mode;
	if (parent != FUSE_ROOT_ID || strcmp(name, "data") != 0) {
		fuse_reply_err(req, EPERM);
		return;
	}
	fill_entry(&entry);
	fi->keep_cache = 1;
	fuse_reply_create(req, &entry, fi);
}

static void null_read(fuse_req_t req, fuse_ino_t ino, size_t count, off_t offset,
		      struct fuse_file_info *fi)
{
	long long left = atomic_load(&size) - offset;

	(void) ino;
	(void) fi;
	if (left < 0)
		left = 0;
	if (count > READ_BYTES_MAX)
		count = READ_BYTES_MAX;
	fuse_reply_buf(req, zeros, (long long) count < left ? count : (size_t) left);
}

static void null_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t count,
		       off_t offset, struct fuse_file_info *fi)
{
	(void) ino;
	(void) bytes;
	(void) fi;
	grow(offset + (off_t) count);
	fuse_reply_write(req, count);
}

static void null_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void) ino;
	(void) fi;
	fuse_reply_err(req, 0);
}

static void null_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	(void) ino;
	(void) data_only;
	(void) fi;
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.init = null_init,
	.lookup = null_lookup,
	.getattr = null_getattr,
	.setattr = null_setattr,
	.open = null_open,
	.create = null_create,
	.read = null_read,
	.write = null_write,
	.flush = null_flush,
	.release = null_flush,
	.fsync = null_fsync,
};

int main(int argc, char *argv[])
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts options;
	struct fuse_loop_config *config;
	struct fuse_session *session;
	int result = 1;

	if (fuse_parse_cmdline(&args, &options) != 0 || options.mountpoint == NULL) {
		fprintf(stderr, "usage: nullfuse -f DIRECTORY\n");
		return 2;
	}
	session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (session == NULL)
		return 1;
	if (fuse_set_signal_handlers(session) == 0
	    && fuse_session_mount(session, options.mountpoint) == 0) {
		config = fuse_loop_cfg_create();
		fuse_loop_cfg_set_clone_fd(config, 1);
		result = fuse_session_loop_mt(session, config) != 0;
		fuse_loop_cfg_destroy(config);
		fuse_session_unmount(session);
	}
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	free(options.mountpoint);
	fuse_opt_free_args(&args);
	return result;
}
