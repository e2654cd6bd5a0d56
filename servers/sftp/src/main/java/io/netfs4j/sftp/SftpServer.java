// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.EntrySink;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.ServerFileSystemStatistics;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Names and attributes over SFTP. Where two questions go together they travel together: a create is
 * one round trip, an open too.
 *
 * <p><b>Lost answers</b>: when a connection is lost the server may have done what was asked. What
 * is repeated then: looking, listing, opening, setting attributes. What is looked at first, before
 * its refusal is believed:
 *
 * <ul>
 *   <li>create: an empty regular file that is there now is ours; so is an empty directory after
 *       mkdir, a symbolic link with our target, a hard link with the source's size, mode and time.
 *   <li>remove, rmdir: nothing there is success.
 *   <li>rename: the source gone and the target there is success.
 * </ul>
 *
 * Another client that did the very same thing in that moment is taken for us.
 *
 * <p><b>Renames</b>: REPLACE is posix-rename@openssh.com. Without that extension it is the
 * protocol's own RENAME, which fails with EEXIST where the target exists. NOREPLACE is the
 * protocol's RENAME: OpenSSH makes it by link and unlink for regular files, which is atomic, and
 * looks first for other types, which is not. EXCHANGE is EINVAL.
 *
 * <p><b>Threads</b>: as {@link Server} says.
 */
final class SftpServer implements Server {
    private static final int LINK_TARGET_BYTES_MAX = Protocol.PATH_BYTES_MAX - 1;

    private static final int SET_GROUP_ID = 02000;

    private final Wiring wiring;
    private final Exchange exchange;
    private final Capabilities capabilities;
    private final AutoCloseable connector;

    /**
     * @param connector closed with the server
     */
    SftpServer(Wiring wiring, Capabilities capabilities, AutoCloseable connector) {
        this(wiring, wiring.exchange(), capabilities, connector);
    }

    private SftpServer(
            Wiring wiring, Exchange exchange, Capabilities capabilities, AutoCloseable connector) {
        this.wiring = wiring;
        this.exchange = exchange;
        this.capabilities = capabilities;
        this.connector = connector;
    }

    @Override
    public Server impatient() {
        return new SftpServer(wiring, wiring.exchange().impatient(), capabilities, connector);
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public boolean isConnected() {
        return wiring.link().now() != null;
    }

    /** For tests and status: handles open on the server, bytes in flight. */
    Wiring wiring() {
        return wiring;
    }

    // ---- looking ----

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        return exchange.persist((c, again) -> attributes(exchange.call(c, lstat(path)), path));
    }

    @Override
    public void list(RemotePath directory, EntrySink sink) throws FsException {
        Listing listing = new Listing(wiring, directory, sink);
        exchange.persist((c, again) -> {
            listing.read(c);
            return true;
        });
    }

    @Override
    public String readSymlink(RemotePath path) throws FsException {
        return exchange.persist((c, again) -> target(c, path));
    }

    private String target(SftpConnection c, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        Reply reply =
                exchange.call(c, new Exchange.Ask(at(Protocol.READLINK, path), Protocol.NAME));
        if (!reply.isOk()) {
            throw StatusErrors.exception(reply, path.toString());
        }
        if (reply.body().u32() != 1) {
            throw new ProtocolViolation("a link with more than one target");
        }
        return Names.decode(reply.body().string(LINK_TARGET_BYTES_MAX));
    }

    @Override
    public ServerFileSystemStatistics statistics(RemotePath path) throws FsException {
        return exchange.persist((c, again) -> {
            if (!c.greeting().offers(Protocol.STATVFS)) {
                throw new FsException(FsError.ENOSYS, "the server does not tell its size");
            }
            Reply reply =
                    exchange.call(
                            c,
                            new Exchange.Ask(
                                    PacketWriter.extended(Protocol.STATVFS)
                                            .string(wiring.paths().of(path)),
                                    Protocol.EXTENDED_REPLY));
            Diagnosis.Statistics s = Diagnosis.Statistics.read(reply);
            if (s == null) {
                throw StatusErrors.exception(reply, path.toString());
            }
            return new ServerFileSystemStatistics(
                    s.fragmentBytes(),
                    s.blocks(),
                    s.blocksFree(),
                    s.blocksAvailable(),
                    s.files(),
                    s.filesFree(),
                    (int) Math.min(s.nameBytesMax(), Protocol.NAME_BYTES_MAX));
        });
    }

    // ---- files ----

    @Override
    public OpenedFile open(PathSource source, Access access) throws FsException {
        wiring.handles().reserve();
        boolean opened = false;
        try {
            OpenedFile file = exchange.persist((c, again) -> open(c, source, access));
            opened = true;
            return file;
        } finally {
            if (!opened) {
                wiring.handles().notOpened();
            }
        }
    }

    @Override
    public ServerFile openLater(PathSource source, Access access, ServerAttributes known) {
        return new SftpFile(wiring, new FileHandle(wiring, source, access), known);
    }

    private OpenedFile open(SftpConnection c, PathSource source, Access access)
            throws FsException, Exchange.Lost, ProtocolViolation {
        RemotePath path = source.path();
        List<Reply> replies =
                exchange.calls(
                        c,
                        openAsk(path, FileHandle.flags(access), WireAttributes.NONE),
                        lstat(path));
        if (!replies.get(0).isOk()) {
            throw notOpened(replies.get(0), replies.get(1), path);
        }
        return opened(c, source, access, replies);
    }

    /** A handle and what LSTAT said after it. */
    private OpenedFile opened(
            SftpConnection c, PathSource source, Access access, List<Reply> replies)
            throws FsException, Exchange.Lost, ProtocolViolation {
        byte[] handle = Exchange.handle(replies.get(0));
        boolean kept = false;
        try {
            ServerAttributes now = attributes(replies.get(1), source.path());
            checkRegular(now, source.path());
            kept = true;
            FileHandle open =
                    new FileHandle(wiring, source, access, new FileHandle.OnServer(c, handle));
            return new OpenedFile(new SftpFile(wiring, open, now), now);
        } finally {
            if (!kept) {
                exchange.closeHandle(c, handle);
            }
        }
    }

    private static void checkRegular(ServerAttributes attributes, RemotePath path)
            throws FsException {
        switch (attributes.type()) {
            case REGULAR -> {}
            case DIRECTORY -> throw new FsException(FsError.EISDIR, path.toString());
            case SYMLINK -> throw new FsException(FsError.ELOOP, path + " is a symbolic link");
            case OTHER -> throw new FsException(FsError.ENXIO, path + " is not a regular file");
        }
    }

    private FsException notOpened(Reply refused, Reply looked, RemotePath path)
            throws FsException, ProtocolViolation {
        if (looked.isOk()) {
            checkRegular(WireAttributes.read(looked.body()).toServer(), path);
        }
        return StatusErrors.exception(refused, path.toString());
    }

    @Override
    public OpenedFile create(PathSource source, int mode) throws FsException {
        wiring.handles().reserve();
        boolean opened = false;
        try {
            OpenedFile file = exchange.persist((c, again) -> create(c, again, source, mode));
            opened = true;
            return withMode(file, mode);
        } finally {
            if (!opened) {
                wiring.handles().notOpened();
            }
        }
    }

    private OpenedFile create(SftpConnection c, boolean again, PathSource source, int mode)
            throws FsException, Exchange.Lost, ProtocolViolation {
        RemotePath path = source.path();
        int flags = FileHandle.flags(Access.READ_WRITE);
        List<Reply> replies =
                exchange.calls(
                        c,
                        openAsk(
                                path,
                                flags | Protocol.FLAG_CREATE | Protocol.FLAG_EXCLUSIVE,
                                WireAttributes.ofMode(mode)),
                        lstat(path));
        if (!replies.get(0).isOk() && again && isEmptyFile(replies.get(1))) {
            replies = exchange.calls(c, openAsk(path, flags, WireAttributes.NONE), lstat(path));
        }
        if (!replies.get(0).isOk()) {
            throw wiring.diagnosis().notMade(c, replies.get(0), path);
        }
        return opened(c, source, Access.READ_WRITE, replies);
    }

    private static boolean isEmptyFile(Reply looked) throws ProtocolViolation {
        if (!looked.isOk()) {
            return false;
        }
        ServerAttributes there =
                WireAttributes.read(new PacketReader(looked.body().rest())).toServer();
        return there.type() == FileType.REGULAR && there.sizeBytes() == 0;
    }

    /** The server's umask may have taken bits away that ours had left. */
    private static OpenedFile withMode(OpenedFile file, int mode) {
        if (file.attributes().mode() == mode) {
            return file;
        }
        try {
            AttributeChange change = new AttributeChange(mode, null, null, null, null, null);
            return new OpenedFile(file.file(), file.file().setAttributes(change));
        } catch (FsException e) {
            // The file is there; which bits it has is told by its attributes.
            return file;
        }
    }

    // ---- names ----

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        ServerAttributes made =
                exchange.persist((c, again) -> {
                    List<Reply> replies =
                            exchange.calls(
                                    c,
                                    Exchange.Ask.status(
                                            at(Protocol.MKDIR, path)
                                                    .attributes(WireAttributes.ofMode(mode))),
                                    lstat(path));
                    if (!replies.get(0).isOk() && !(again && isEmptyDirectory(c, path))) {
                        throw wiring.diagnosis().notMade(c, replies.get(0), path);
                    }
                    return attributes(replies.get(1), path);
                });
        // A directory takes over the set-group-ID bit of the one that it is in.
        int wanted = mode | (made.mode() & SET_GROUP_ID);
        if (made.mode() == wanted) {
            return made;
        }
        try {
            return setAttributes(path, new AttributeChange(wanted, null, null, null, null, null));
        } catch (FsException e) {
            return made;
        }
    }

    private boolean isEmptyDirectory(SftpConnection c, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        ServerAttributes there = wiring.diagnosis().look(c, path);
        if (there == null || there.type() != FileType.DIRECTORY) {
            return false;
        }
        boolean[] empty = {true};
        new Listing(wiring, path, (name, type, attributes) -> empty[0] = false).read(c);
        return empty[0];
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        exchange.persist((c, again) -> {
            Reply reply = exchange.call(c, Exchange.Ask.status(at(Protocol.REMOVE, path)));
            if (!reply.isOk() && !(again && reply.status() == Protocol.NO_SUCH_FILE)) {
                throw wiring.diagnosis().notRemoved(c, reply, path);
            }
            return true;
        });
    }

    @Override
    public void removeDirectory(RemotePath path) throws FsException {
        exchange.persist((c, again) -> {
            Reply reply = exchange.call(c, Exchange.Ask.status(at(Protocol.RMDIR, path)));
            if (!reply.isOk() && !(again && reply.status() == Protocol.NO_SUCH_FILE)) {
                throw wiring.diagnosis()
                        .directoryNotRemoved(c, reply, path, this::isEmptyDirectory);
            }
            return true;
        });
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        if (mode == RenameMode.EXCHANGE) {
            throw new FsException(FsError.EINVAL, "SFTP cannot exchange two names");
        }
        int depth = from.names().size();
        if (to.names().size() > depth && to.names().subList(0, depth).equals(from.names())) {
            throw new FsException(FsError.EINVAL, from + " cannot be moved into itself");
        }
        exchange.persist((c, again) -> {
            boolean replaces =
                    mode == RenameMode.REPLACE && c.greeting().offers(Protocol.POSIX_RENAME);
            PacketWriter request =
                    replaces
                            ? PacketWriter.extended(Protocol.POSIX_RENAME)
                            : new PacketWriter(Protocol.RENAME);
            request.string(wiring.paths().of(from)).string(wiring.paths().of(to));
            Reply reply = exchange.call(c, Exchange.Ask.status(request));
            if (!reply.isOk() && !(again && isMoved(c, from, to))) {
                throw wiring.diagnosis().notRenamed(c, reply, from, to, replaces);
            }
            return true;
        });
    }

    private boolean isMoved(SftpConnection c, RemotePath from, RemotePath to)
            throws FsException, Exchange.Lost, ProtocolViolation {
        return wiring.diagnosis().look(c, from) == null && wiring.diagnosis().look(c, to) != null;
    }

    /** OpenSSH takes the target first, against the draft, and servers follow it. */
    @Override
    public ServerAttributes makeSymlink(RemotePath path, String target) throws FsException {
        return exchange.persist(
                (c, again) -> attributes(makeSymlink(c, again, path, target, path), path));
    }

    @Override
    public @Nullable ServerAttributes makeSymlinkAndStat(
            RemotePath link, String target, RemotePath path) throws FsException {
        return exchange.persist((c, again) -> {
            Reply looked = makeSymlink(c, again, link, target, path);
            FsError unseen = looked.isOk() ? null : StatusErrors.of(looked.status());
            return unseen == FsError.ENOENT || unseen == FsError.EACCES
                    ? null
                    : attributes(looked, path);
        });
    }

    /** Makes a link, and looks at a name in the same round trip; returns what that said. */
    private Reply makeSymlink(
            SftpConnection c, boolean again, RemotePath path, String target, RemotePath looks)
            throws FsException, Exchange.Lost, ProtocolViolation {
        byte[] text = Names.encode(target);
        if (text.length == 0 || text.length > LINK_TARGET_BYTES_MAX || target.indexOf(0) >= 0) {
            throw new FsException(
                    text.length > LINK_TARGET_BYTES_MAX ? FsError.ENAMETOOLONG : FsError.EINVAL,
                    "a link cannot have that target");
        }
        List<Reply> replies =
                exchange.calls(
                        c,
                        Exchange.Ask.status(
                                new PacketWriter(Protocol.SYMLINK)
                                        .string(text)
                                        .string(wiring.paths().of(path))),
                        lstat(looks));
        if (!replies.get(0).isOk() && !(again && pointsTo(c, path, target))) {
            throw wiring.diagnosis().notMade(c, replies.get(0), path);
        }
        return replies.get(1);
    }

    private boolean pointsTo(SftpConnection c, RemotePath path, String target)
            throws FsException, Exchange.Lost, ProtocolViolation {
        ServerAttributes there = wiring.diagnosis().look(c, path);
        return there != null && there.type() == FileType.SYMLINK && target(c, path).equals(target);
    }

    @Override
    public ServerAttributes link(RemotePath existing, RemotePath path) throws FsException {
        return exchange.persist((c, again) -> {
            if (!c.greeting().offers(Protocol.HARDLINK)) {
                throw new FsException(FsError.EPERM, "the server makes no hard links");
            }
            List<Reply> replies =
                    exchange.calls(
                            c,
                            Exchange.Ask.status(
                                    PacketWriter.extended(Protocol.HARDLINK)
                                            .string(wiring.paths().of(existing))
                                            .string(wiring.paths().of(path))),
                            lstat(path));
            if (!replies.get(0).isOk() && !(again && looksAlike(c, existing, path))) {
                throw wiring.diagnosis().notLinked(c, replies.get(0), existing, path);
            }
            return attributes(replies.get(1), path);
        });
    }

    private boolean looksAlike(SftpConnection c, RemotePath one, RemotePath other)
            throws FsException, Exchange.Lost, ProtocolViolation {
        ServerAttributes a = wiring.diagnosis().look(c, one);
        return a != null && a.equals(wiring.diagnosis().look(c, other));
    }

    // ---- attributes ----

    /**
     * Owner and times of a symbolic link are set without following it where the server offers
     * lsetstat@openssh.com. Mode and size are set by SETSTAT, which follows: nobody asks for them
     * on a link.
     */
    @Override
    public ServerAttributes setAttributes(RemotePath path, AttributeChange change)
            throws FsException {
        return exchange.persist((c, again) -> {
            ServerAttributes known =
                    AttributeSteps.needsKnown(change)
                            ? attributes(exchange.call(c, lstat(path)), path)
                            : NOTHING_KNOWN;
            List<Exchange.Ask> asks = new ArrayList<>();
            for (WireAttributes step : AttributeSteps.of(change, known)) {
                asks.add(Exchange.Ask.status(setStat(c, path, step)));
            }
            asks.add(lstat(path));
            List<Reply> replies = exchange.calls(c, asks.toArray(Exchange.Ask[]::new));
            for (Reply reply : replies) {
                if (!reply.isOk()) {
                    throw notSet(reply, path, change);
                }
            }
            return attributes(replies.get(replies.size() - 1), path);
        });
    }

    private static final ServerAttributes NOTHING_KNOWN =
            new ServerAttributes(
                    FileType.REGULAR,
                    0,
                    0,
                    0,
                    0,
                    1,
                    Instant.EPOCH,
                    Instant.EPOCH,
                    Instant.EPOCH,
                    0,
                    new CoherencyToken(""));

    private PacketWriter setStat(SftpConnection c, RemotePath path, WireAttributes step)
            throws FsException {
        boolean ofLink = step.sizeBytes() == null && step.permissions() == null;
        PacketWriter request =
                ofLink && c.greeting().offers(Protocol.LSETSTAT)
                        ? PacketWriter.extended(Protocol.LSETSTAT)
                        : new PacketWriter(Protocol.SETSTAT);
        return request.string(wiring.paths().of(path)).attributes(step);
    }

    private static FsException notSet(Reply reply, RemotePath path, AttributeChange change) {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EACCES && change.sizeBytes() == null) {
            error = FsError.EPERM;
        }
        return StatusErrors.exception(error, reply, path.toString());
    }

    // ---- packets ----

    private PacketWriter at(int type, RemotePath path) throws FsException {
        return new PacketWriter(type).string(wiring.paths().of(path));
    }

    private Exchange.Ask lstat(RemotePath path) throws FsException {
        return Exchange.Ask.attributes(at(Protocol.LSTAT, path));
    }

    private Exchange.Ask openAsk(RemotePath path, int flags, WireAttributes attributes)
            throws FsException {
        return new Exchange.Ask(
                at(Protocol.OPEN, path).u32(flags).attributes(attributes), Protocol.HANDLE);
    }

    private static ServerAttributes attributes(Reply reply, RemotePath path)
            throws FsException, ProtocolViolation {
        if (!reply.isOk()) {
            throw StatusErrors.exception(reply, path.toString());
        }
        return WireAttributes.read(reply.body()).toServer();
    }

    @Override
    public void close() {
        wiring.link().close();
        try {
            connector.close();
        } catch (Exception e) {
            throw new IllegalStateException("the SSH client cannot be stopped", e);
        }
    }
}
