// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.netfs4j.cli.ControlMessages.Answer;
import io.netfs4j.cli.ControlMessages.Request;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Semaphore;

/**
 * The ear of a mount's process: a socket of the local machine in a directory that only its user may
 * enter, a virtual thread for each command that asks.
 */
final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    /** Commands heard at the same time; another waits in the socket's own queue. */
    private static final int CONVERSATIONS_MAX = 32;

    /** How long the end of the process waits for commands to take their answers. */
    private static final long ANSWERS_MILLIS_MAX = 2_000;

    /** Who answers. May wait; {@code reply} fails when the command has gone. */
    @FunctionalInterface
    interface Answerer {
        void answer(Request request, Reply reply) throws IOException, InterruptedException;
    }

    /** Sends one line of an answer. */
    @FunctionalInterface
    interface Reply {
        void send(Answer answer) throws IOException;
    }

    private final Path socket;
    private final ServerSocketChannel channel;
    private final Answerer answerer;
    private final Semaphore conversations = new Semaphore(CONVERSATIONS_MAX);

    private ControlServer(Path socket, ServerSocketChannel channel, Answerer answerer) {
        this.socket = socket;
        this.channel = channel;
        this.answerer = answerer;
    }

    /** Begins to listen. A socket that a former process of the same number left is replaced. */
    static ControlServer start(Path socket, Answerer answerer) throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        ControlServer server = new ControlServer(socket, channel, answerer);
        Thread.ofVirtual().name("netfs-control").start(server::listen);
        return server;
    }

    /** Hears nobody any more, and lets the commands that were heard have their answers. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(socket);
            if (!conversations.tryAcquire(CONVERSATIONS_MAX, ANSWERS_MILLIS_MAX, MILLISECONDS)) {
                LOG.warn("a command did not take its answer");
            }
        } catch (IOException e) {
            LOG.warn("cannot remove the control socket {}: {}", socket, e.toString());
        } catch (InterruptedException e) {
            LOG.warn("interrupted while commands were being answered");
        }
    }

    private void listen() {
        while (channel.isOpen()) {
            try {
                conversations.acquire();
                SocketChannel command = channel.accept();
                Thread.ofVirtual().name("netfs-command").start(() -> converse(command));
            } catch (ClosedChannelException e) {
                conversations.release();
                return;
            } catch (IOException e) {
                conversations.release();
                LOG.warn("control socket: {}", e.toString());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void converse(SocketChannel command) {
        try (ControlLines lines = new ControlLines(command)) {
            Request request = ControlMessages.read(lines.readLine(), Request.class);
            answerer.answer(request, answer -> lines.writeLine(ControlMessages.write(answer)));
        } catch (IOException e) {
            // The command was interrupted or spoke another language: its own affair.
            LOG.debug("a command went away: {}", e.toString());
        } catch (InterruptedException e) {
            LOG.debug("interrupted while answering a command");
        } catch (RuntimeException e) {
            LOG.error("a command could not be answered", e);
        } finally {
            conversations.release();
        }
    }
}
