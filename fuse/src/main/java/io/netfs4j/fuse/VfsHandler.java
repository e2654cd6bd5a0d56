// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.vfs.Vfs;

/**
 * Serves a {@link Vfs}: says which requests it can answer at once and which may have to wait, and
 * hands each to the class that knows it.
 *
 * <p><b>Threads</b>: any number at once, as {@link RequestHandler} says.
 */
final class VfsHandler implements RequestHandler {
    private static final int S_IFREG = AttributeEncoder.S_IFREG;

    private final FileRequests files;
    private final NameRequests names;
    private final AttributeRequests attributes;
    private final DirectoryRequests directories;

    /**
     * @param notifier tells the kernel of what is found out here
     */
    VfsHandler(Vfs vfs, FuseOptions options, Notifier notifier) {
        AttributeEncoder encoder = new AttributeEncoder(options);
        files = new FileRequests(vfs, encoder, notifier, options);
        names = new NameRequests(vfs, encoder, notifier);
        attributes = new AttributeRequests(vfs, encoder, notifier, files);
        directories = new DirectoryRequests(vfs, encoder, notifier);
    }

    @Override
    public boolean tryHandle(FuseRequest request) throws FsException {
        switch (request.opcode()) {
            case Opcode.LOOKUP -> {
                return names.tryLookup(request);
            }
            case Opcode.GETATTR -> {
                return attributes.tryGet(request);
            }
            case Opcode.READ -> {
                return files.tryRead(request);
            }
            case Opcode.WRITE -> {
                return files.tryWrite(request);
            }
            case Opcode.GETXATTR, Opcode.SETXATTR, Opcode.REMOVEXATTR -> {
                return attributes.refuseForeignXattr(request);
            }
            case Opcode.FORGET -> names.forget(request);
            case Opcode.BATCH_FORGET -> names.forgetBatch(request);
            case Opcode.NOTIFY_REPLY -> {
                // An answer to a question that we never ask.
            }
            // The kernel remembers that these are not there, and does not ask again. Permissions it
            // checks itself (default_permissions); STATX would only add a time of birth.
            case Opcode.ACCESS, Opcode.POLL, Opcode.BMAP, Opcode.STATX, Opcode.TMPFILE ->
                    request.replyErrno(Libc.ENOSYS);
            case Opcode.IOCTL -> request.replyErrno(Libc.ENOTTY);
            case Opcode.MKNOD -> {
                int type = request.u32(Wire.MKNOD_IN_MODE) & AttributeEncoder.S_IFMT;
                if (type == S_IFREG || type == 0) {
                    return false;
                }
                // No server keeps devices, pipes and sockets for us.
                request.replyError(FsError.EPERM);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    public void handle(FuseRequest request) throws FsException {
        switch (request.opcode()) {
            case Opcode.LOOKUP -> names.lookup(request);
            case Opcode.GETATTR -> attributes.get(request);
            case Opcode.SETATTR -> attributes.set(request);
            case Opcode.READLINK -> names.readlink(request);
            case Opcode.SYMLINK -> names.symlink(request);
            case Opcode.MKNOD -> names.makeFile(request);
            case Opcode.MKDIR -> names.mkdir(request);
            case Opcode.UNLINK -> names.unlink(request);
            case Opcode.RMDIR -> names.rmdir(request);
            case Opcode.RENAME -> names.rename(request);
            case Opcode.RENAME2 -> names.rename2(request);
            case Opcode.LINK -> names.link(request);
            case Opcode.OPEN -> files.open(request);
            case Opcode.CREATE -> files.create(request);
            case Opcode.READ -> files.read(request);
            case Opcode.WRITE -> files.write(request);
            case Opcode.FLUSH -> files.flush(request);
            case Opcode.FSYNC -> files.fsync(request);
            case Opcode.RELEASE -> files.release(request);
            case Opcode.FALLOCATE -> files.fallocate(request);
            case Opcode.LSEEK -> files.lseek(request);
            case Opcode.COPY_FILE_RANGE, Opcode.COPY_FILE_RANGE_64 -> files.copyRange(request);
            case Opcode.OPENDIR -> directories.open(request);
            case Opcode.READDIR -> directories.read(request, false);
            case Opcode.READDIRPLUS -> directories.read(request, true);
            case Opcode.RELEASEDIR -> directories.release(request);
            case Opcode.FSYNCDIR -> directories.fsync(request);
            case Opcode.STATFS -> attributes.statfs(request);
            case Opcode.GETXATTR -> attributes.getXattr(request);
            case Opcode.SETXATTR -> attributes.setXattr(request);
            case Opcode.LISTXATTR -> attributes.listXattrs(request);
            case Opcode.REMOVEXATTR -> attributes.removeXattr(request);
            default -> request.replyErrno(Libc.ENOSYS);
        }
    }

    @Override
    public void sessionEnded() {
        files.releaseAll();
        directories.releaseAll();
    }
}
