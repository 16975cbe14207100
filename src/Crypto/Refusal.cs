using System.Collections.Frozen;
using System.Reflection;

namespace Exchange.Crypto;

/// <summary>
/// One reason to refuse: a code that never changes meaning, one sentence a clerk understands, and what to do about it, in English and Vietnamese.
/// The list is closed and is the only place where these texts stand: here what is wrong with a dispatch, in Refusal.Service.cs what lies with the gateway, the way to it, and evidence.
/// HTTP statuses are in Gateway/Operations/Refusals.cs.
/// </summary>
public sealed partial record Refusal(string Code, string En, string Vi, string RemedyEn, string RemedyVi)
{
    // Form: what arrived is not what the format says.
    public static readonly Refusal Json = new("E_JSON",
        "A signed part is not in the one JSON form that this format allows.", "Một phần đã ký không đúng dạng JSON duy nhất mà định dạng cho phép.",
        "Make the dispatch again with up-to-date office software.", "Tạo lại văn bản bằng phần mềm đã cập nhật.");
    public static readonly Refusal Der = new("E_DER",
        "A part is not in strict DER, or bytes are missing or left over.", "Một phần không đúng mã hóa DER chặt chẽ, hoặc thiếu hay thừa dữ liệu.",
        "Send the stored envelope again; if it repeats, seal it anew.", "Gửi lại bao bì đã lưu; nếu vẫn lỗi, hãy niêm phong lại.");
    public static readonly Refusal Size = new("E_SIZE",
        "A part is larger than the format allows.", "Một phần vượt quá kích thước mà định dạng cho phép.",
        "Send to fewer recipients or with fewer documents at a time.", "Gửi cho ít nơi nhận hơn hoặc ít tài liệu hơn mỗi lần.");
    public static readonly Refusal StatementType = new("E_STATEMENT_TYPE",
        "A signed part is of another type than its place requires.", "Một phần đã ký không đúng loại so với vị trí của nó.",
        "Seal the dispatch anew.", "Niêm phong lại văn bản.");
    public static readonly Refusal StatementSigners = new("E_STATEMENT_SIGNERS",
        "The signatures do not match, one to one, the signers that the signed text names.", "Các chữ ký không khớp từng cái một với danh sách người ký ghi trong nội dung đã ký.",
        "Every named signer must sign, and no one else.", "Mọi người ký có tên phải ký, và không ai khác.");
    public static readonly Refusal StatementAttributes = new("E_STATEMENT_ATTRIBUTES",
        "A signature lacks a required signed attribute or carries one that is not allowed.", "Chữ ký thiếu thuộc tính bắt buộc hoặc mang thuộc tính không được phép.",
        "Sign with up-to-date office software.", "Ký lại bằng phần mềm đã cập nhật.");
    public static readonly Refusal Signature = new("E_SIGNATURE",
        "A signature does not verify: the part was changed after signing.", "Chữ ký không hợp lệ: nội dung đã bị thay đổi sau khi ký.",
        "Ask the signer to send it again.", "Yêu cầu nơi ký gửi lại.");
    public static readonly Refusal Algorithm = new("E_ALGORITHM",
        "An algorithm or parameter is outside the suite that the header names.", "Thuật toán hoặc tham số không thuộc bộ thuật toán đã nêu.",
        "Use the certificates and software approved for this gateway.", "Sử dụng chứng thư và phần mềm được phép của trục.");

    // Trust: certificates, directory, officers.
    public static readonly Refusal CertificateUntrusted = new("E_CERTIFICATE_UNTRUSTED",
        "A certificate does not lead to a trusted root.", "Chứng thư không dẫn tới gốc được tin cậy.",
        "Use a certificate issued by the authority of this exchange.", "Sử dụng chứng thư do cơ quan chứng thực của hệ thống cấp.");
    public static readonly Refusal CertificateTime = new("E_CERTIFICATE_TIME",
        "A certificate was not valid at the time that counts.", "Chứng thư không còn hoặc chưa có hiệu lực tại thời điểm xét.",
        "Renew the certificate, and check the clock of the computer.", "Gia hạn chứng thư và kiểm tra đồng hồ máy tính.");
    public static readonly Refusal CertificateRevoked = new("E_CERTIFICATE_REVOKED",
        "A certificate has been revoked.", "Chứng thư đã bị thu hồi.",
        "Ask the directory officers for a new certificate.", "Đề nghị cán bộ danh bạ cấp chứng thư mới.");
    public static readonly Refusal CertificatePurpose = new("E_CERTIFICATE_PURPOSE",
        "A certificate may not be used for this purpose.", "Chứng thư không được dùng cho mục đích này.",
        "Use the certificate issued for this purpose.", "Sử dụng đúng chứng thư đã cấp cho mục đích này.");
    public static readonly Refusal CertificateAlgorithm = new("E_CERTIFICATE_ALGORITHM",
        "A certificate uses a key or signature algorithm that is not allowed.", "Chứng thư dùng khóa hoặc thuật toán chữ ký không được phép.",
        "Ask for a certificate with a P-384 or RSA-3072 key and SHA-256 or better.", "Đề nghị cấp chứng thư khóa P-384 hoặc RSA-3072, SHA-256 trở lên.");
    public static readonly Refusal CertificateForm = new("E_CERTIFICATE_FORM",
        "A certificate is not made as the standard demands.", "Chứng thư không được lập đúng chuẩn.",
        "Ask the authority that issued it for a proper certificate.", "Đề nghị cơ quan cấp chứng thư cấp lại chứng thư đúng chuẩn.");
    public static readonly Refusal RevocationUnknown = new("E_REVOCATION_UNKNOWN",
        "It cannot be determined whether a certificate has been revoked: no current revocation list.", "Không xác định được chứng thư có bị thu hồi hay không: thiếu danh sách thu hồi còn hiệu lực.",
        "The administrator must load the current revocation lists.", "Quản trị viên cần nạp danh sách thu hồi hiện hành.");
    public static readonly Refusal SignerUnknown = new("E_SIGNER_UNKNOWN",
        "The signer is not a key of the named office in the directory.", "Người ký không thuộc khóa của cơ quan đã nêu trong danh bạ.",
        "Update the directory, or sign with the office's current key.", "Cập nhật danh bạ, hoặc ký bằng khóa hiện hành của cơ quan.");
    public static readonly Refusal Officers = new("E_OFFICERS",
        "The statement is not signed by the two officers whose keys are pinned.", "Văn bản không được ký bởi hai cán bộ có khóa đã ghim.",
        "Get it from the officers; do not use it.", "Lấy lại từ các cán bộ có thẩm quyền; không sử dụng bản này.");
    public static readonly Refusal VersionOld = new("E_VERSION_OLD",
        "The version offered is older than one already seen.", "Phiên bản được đưa ra cũ hơn phiên bản đã thấy.",
        "Get the current version; report this to the administrator.", "Lấy phiên bản hiện hành; báo cho quản trị viên.");
    public static readonly Refusal Card = new("E_CARD",
        "An office's card is missing, not signed by its previous key, or not vouched for by the officers.", "Thẻ khóa của cơ quan bị thiếu, không được ký bằng khóa trước, hoặc chưa được cán bộ danh bạ bảo đảm.",
        "Ask the directory officers.", "Liên hệ cán bộ danh bạ.");

    // Envelope: parts that do not belong together.
    public static readonly Refusal Header = new("E_HEADER",
        "The header has a value outside what the format allows.", "Phần đầu có giá trị ngoài phạm vi định dạng cho phép.",
        "Seal the dispatch anew.", "Niêm phong lại văn bản.");
    public static readonly Refusal Suite = new("E_SUITE",
        "The suite of algorithms is not known here.", "Bộ thuật toán không được biết ở đây.",
        "Use suite classic-1.", "Sử dụng bộ thuật toán classic-1.");
    public static readonly Refusal Kind = new("E_KIND",
        "This kind of dispatch is not handled by this version.", "Loại trao đổi này chưa được phiên bản hiện tại xử lý.",
        "Send a new dispatch.", "Gửi văn bản mới.");
    public static readonly Refusal Recipients = new("E_RECIPIENTS",
        "The keys that can open the envelope are not exactly the recipients that the header names.", "Các khóa mở được bao bì không khớp chính xác với nơi nhận ghi ở phần đầu.",
        "Seal the dispatch anew.", "Niêm phong lại văn bản.");
    public static readonly Refusal Manifest = new("E_MANIFEST",
        "The sealed manifest is not the one that the header was signed with.", "Phần niêm phong không phải phần đã ký cùng phần đầu.",
        "Send the stored envelope again.", "Gửi lại bao bì đã lưu.");
    public static readonly Refusal ManifestForm = new("E_MANIFEST_FORM",
        "The sealed manifest is not in the form that the format prescribes.", "Phần niêm phong không đúng dạng quy định.",
        "Seal the dispatch anew with up-to-date office software.", "Niêm phong lại bằng phần mềm đã cập nhật.");
    public static readonly Refusal LabelMismatch = new("E_LABEL_MISMATCH",
        "The level is not the same in every part of the envelope.", "Độ mật không giống nhau ở mọi phần của bao bì.",
        "Seal the dispatch anew with one level.", "Niêm phong lại với một độ mật duy nhất.");
    public static readonly Refusal LabelForm = new("E_LABEL_FORM",
        "The security label attribute is not the exact encoding of the label.", "Thuộc tính nhãn mật không đúng mã hóa của nhãn.",
        "Sign with up-to-date office software.", "Ký lại bằng phần mềm đã cập nhật.");
    public static readonly Refusal Approval = new("E_APPROVAL",
        "An approval does not belong to this dispatch, or its signer may not give it, or it has lapsed.", "Phê duyệt không thuộc văn bản này, hoặc người ký không có thẩm quyền, hoặc đã hết hạn.",
        "Ask the signatory to approve this dispatch again.", "Đề nghị người có thẩm quyền phê duyệt lại văn bản này.");
    public static readonly Refusal PayloadLength = new("E_PAYLOAD_LENGTH",
        "The payload has another length than the header says.", "Nội dung có độ dài khác với phần đầu đã ghi.",
        "Send the stored envelope again.", "Gửi lại bao bì đã lưu.");
    public static readonly Refusal PayloadRoot = new("E_PAYLOAD_ROOT",
        "The payload is not the one that the header was signed with: bytes were changed on the way.", "Nội dung không phải nội dung đã ký cùng phần đầu: dữ liệu đã bị thay đổi trên đường đi.",
        "Send the stored envelope again.", "Gửi lại bao bì đã lưu.");
    public static readonly Refusal NotForThisKey = new("E_NOT_FOR_THIS_KEY",
        "The envelope is not addressed to this key.", "Bao bì không gửi cho khóa này.",
        "Open it with the key it was sealed to, or ask the sender to send it again.", "Mở bằng đúng khóa nhận, hoặc đề nghị nơi gửi gửi lại.");
    public static readonly Refusal CannotOpen = new("E_CANNOT_OPEN",
        "The envelope cannot be opened with this key.", "Không mở được bao bì bằng khóa này.",
        "Ask the sender to send the dispatch again.", "Đề nghị nơi gửi gửi lại văn bản.");
    public static readonly Refusal ParcelDamaged = new("E_PARCEL_DAMAGED",
        "The file is not whole, or was changed on its way: nothing of it can be opened.", "Tệp không nguyên vẹn hoặc đã bị thay đổi trên đường đi: không mở được phần nào.",
        "Have the same file sent again, or fetch the gateway's copy with exchange open PARCEL; the sender need not write anything anew.",
        "Đề nghị gửi lại chính tệp đó, hoặc lấy bản tại trục bằng exchange open BƯU-PHẨM; nơi gửi không phải soạn lại.");
    public static readonly Refusal NoParcel = new("E_NO_PARCEL",
        "This file is not a sealed parcel.", "Tệp này không phải bưu phẩm đã niêm phong.",
        "Give the attachment that has the parcel's number as its name, just as it came; if this is it, have it sent again.",
        "Chọn tệp đính kèm mang tên là mã bưu phẩm, nguyên như khi nhận; nếu chính là tệp này, đề nghị gửi lại.");
    public static readonly Refusal DispatchMismatch = new("E_DISPATCH_MISMATCH",
        "The sealed dispatch is not the one that the header names.", "Văn bản bên trong không phải văn bản mà phần đầu đã nêu.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal DispatchForm = new("E_DISPATCH_FORM",
        "The sealed dispatch has a value outside what the format allows.", "Văn bản bên trong có giá trị ngoài phạm vi định dạng cho phép.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal DispatchSigners = new("E_DISPATCH_SIGNERS",
        "The dispatch is not signed by a person of the sending office (and by the office, where the level asks for it).", "Văn bản không được ký bởi người của cơ quan gửi (và bởi cơ quan, khi độ mật yêu cầu).",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal TimeStamp = new("E_TIMESTAMP",
        "The time-stamp of a signature is not one of this signature, or does not hold.", "Dấu thời gian của chữ ký không thuộc chữ ký này hoặc không hợp lệ.",
        "Have it time-stamped anew; report it to whoever gave it.", "Xin cấp lại dấu thời gian; báo cho nơi đã cấp.");
    public static readonly Refusal TimeStampMissing = new("E_TIMESTAMP_MISSING",
        "The author's signatures bear no time-stamp, and the level asks for one.", "Chữ ký của người soạn không có dấu thời gian mà độ mật yêu cầu.",
        "Ask the sender to send it anew, time-stamped.", "Đề nghị nơi gửi gửi lại kèm dấu thời gian.");
    public static readonly Refusal TimeStampAway = new("E_TIMESTAMP_AWAY",
        "No time-stamp authority gave a time-stamp that holds, and the level asks for one; nothing was sent.", "Không nơi nào cấp được dấu thời gian hợp lệ mà độ mật yêu cầu; chưa gửi gì.",
        "Try again when an authority of the profile can be reached (timestamps.authorities).", "Thử lại khi kết nối được nơi cấp dấu thời gian ghi trong hồ sơ (timestamps.authorities).");
    public static readonly Refusal SenderMismatch = new("E_SENDER_MISMATCH",
        "The dispatch comes from another office than the envelope.", "Văn bản thuộc cơ quan khác với cơ quan gửi bao bì.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal Addressees = new("E_ADDRESSEES",
        "The envelope was sent to an office that the author of the dispatch did not address.", "Bao bì gửi tới cơ quan không nằm trong nơi nhận mà người ký văn bản đã ghi.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal DocumentDigest = new("E_DOCUMENT_DIGEST",
        "A document is not the one that the author signed.", "Tài liệu không phải bản mà người ký đã ký.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal PayloadPadding = new("E_PAYLOAD_PADDING",
        "The payload holds something besides the documents that the author signed.", "Nội dung chứa dữ liệu ngoài các tài liệu mà người ký đã ký.",
        "Report it to the sender.", "Báo lại cho nơi gửi.");
    public static readonly Refusal DocumentName = new("E_DOCUMENT_NAME",
        "A document has a name that cannot be used safely, or two documents have one name.", "Tên tài liệu không an toàn, hoặc hai tài liệu trùng tên.",
        "Rename the document: letters, digits, spaces, dots and dashes.", "Đổi tên tài liệu: chữ, số, dấu cách, dấu chấm, gạch ngang.");
    public static readonly Refusal Expired = new("E_EXPIRED",
        "The dispatch arrived after the time until which it may be accepted.", "Văn bản đến sau thời hạn được tiếp nhận.",
        "Send it anew with a later time.", "Gửi lại với thời hạn muộn hơn.");
    public static readonly Refusal NotYet = new("E_NOT_YET",
        "The dispatch may not be released before the time it names.", "Văn bản chưa được phát hành trước thời điểm đã ghi.",
        "Wait until that time.", "Chờ đến thời điểm đó.");
    public static readonly Refusal AwaitingRelease = new("E_AWAITING_RELEASE",
        "The dispatch is held until the persons whom its level asks for have released it.", "Văn bản được giữ lại chờ những người có thẩm quyền theo độ mật cho phép chuyển đi.",
        "Ask two persons with that role to approve its release.", "Đề nghị hai người có vai trò đó phê duyệt cho chuyển.");
    public static readonly Refusal NotHeld = new("E_NOT_HELD",
        "The dispatch does not wait for a release any more.", "Văn bản không còn chờ cho phép chuyển.",
        "Look what became of it: exchange status.", "Xem kết quả: exchange status.");
    public static readonly Refusal ReleaseRefused = new("E_RELEASE_REFUSED",
        "A person whose word the level asks for refused the release of the dispatch.", "Người có thẩm quyền theo độ mật đã không cho chuyển văn bản.",
        "Ask that person why; correct the dispatch and send it anew.", "Hỏi người đó lý do; sửa văn bản rồi gửi lại.");
    public static readonly Refusal HoldExpired = new("E_HOLD_EXPIRED",
        "Nobody released the dispatch in the time for which it is held.", "Hết thời gian chờ mà văn bản chưa được cho phép chuyển.",
        "Send it anew and ask the persons concerned to release it in time.", "Gửi lại và đề nghị những người liên quan cho phép chuyển kịp thời.");
    public static readonly Refusal ClockSkew = new("E_CLOCK_SKEW",
        "The signing time and the time of arrival are more than ten minutes apart.", "Thời điểm ký và thời điểm đến lệch nhau quá mười phút.",
        "Check the clock of the computer and seal again.", "Kiểm tra đồng hồ máy tính và niêm phong lại.");
    public static readonly Refusal Replay = new("E_REPLAY",
        "Another envelope of this sender with the same identifier was already received.", "Đã nhận một bao bì khác của nơi gửi này với cùng mã định danh.",
        "Nothing needs doing if the first copy is here; else report it to the sender.", "Không cần xử lý nếu đã có bản đầu; nếu không, báo lại cho nơi gửi.");

    // Decision: rules of the policy. One answer, E_NOT_RELEASABLE, hides which fact about the other side was missing.
    public static readonly Refusal PolicyUnknown = new("E_POLICY_UNKNOWN",
        "The label belongs to a policy that is not active here.", "Nhãn thuộc một chính sách không có hiệu lực ở đây.",
        "Update the policy and choose the level again.", "Cập nhật chính sách và chọn lại độ mật.");
    public static readonly Refusal LabelMissing = new("E_LABEL_MISSING",
        "No level was chosen.", "Chưa chọn độ mật.",
        "Choose a level: there is no default.", "Hãy chọn độ mật: không có giá trị mặc định.");
    public static readonly Refusal LabelClass = new("E_LABEL_CLASS",
        "The level is not one of the active policy, or its mark is not the policy's mark.", "Độ mật không thuộc chính sách hiện hành, hoặc dấu mật không đúng.",
        "Choose a level of the active policy.", "Chọn độ mật của chính sách hiện hành.");
    public static readonly Refusal LabelCategory = new("E_LABEL_CATEGORY",
        "A category is unknown, of the wrong kind, or missing where the level requires it.", "Phạm trù không tồn tại, sai loại, hoặc thiếu khi độ mật yêu cầu.",
        "Choose the categories again.", "Chọn lại các phạm trù.");
    public static readonly Refusal LabelBasis = new("E_LABEL_BASIS",
        "This level needs its basis: the entry of the official list of state secrets.", "Độ mật này cần căn cứ: mục trong danh mục bí mật nhà nước.",
        "Name the entry, or choose a lower level.", "Ghi rõ mục căn cứ, hoặc chọn độ mật thấp hơn.");
    public static readonly Refusal ApprovalMissing = new("E_APPROVAL_MISSING",
        "This level needs the approval of the signatory.", "Độ mật này cần phê duyệt của người có thẩm quyền ký.",
        "Ask the signatory to approve, then send again.", "Trình người có thẩm quyền phê duyệt rồi gửi lại.");
    public static readonly Refusal SenderNotCleared = new("E_SENDER_NOT_CLEARED",
        "Your office is not cleared for this level or these categories.", "Cơ quan của bạn không được phép gửi ở độ mật hoặc phạm trù này.",
        "Choose a level that your office holds, or ask the directory officers.", "Chọn độ mật mà cơ quan được phép, hoặc liên hệ cán bộ danh bạ.");
    public static readonly Refusal CardHeld = new("E_CARD_HELD",
        "Your office's new keys are held back at this level for the first 24 hours.", "Khóa mới của cơ quan bạn bị tạm giữ ở độ mật này trong 24 giờ đầu.",
        "Send it when the time has passed, or ask the directory officers.", "Gửi lại khi hết thời gian, hoặc liên hệ cán bộ danh bạ.");
    public static readonly Refusal LabelCaveat = new("E_LABEL_CAVEAT",
        "The level demands a caveat that the label does not bear.", "Độ mật yêu cầu một chỉ dẫn hạn chế mà nhãn không có.",
        "Choose the level again: its caveats come with it.", "Chọn lại độ mật: các chỉ dẫn kèm theo sẽ được ghi sẵn.");
    public static readonly Refusal LabelTerm = new("E_LABEL_TERM",
        "The term of protection is not one that law and signatures give at this time.", "Thời hạn bảo vệ không đúng với quy định hoặc chữ ký tại thời điểm này.",
        "Choose a term within the law's, or wait until the signed time.", "Chọn thời hạn trong phạm vi quy định, hoặc chờ đến thời điểm đã ký.");
    public static readonly Refusal LabelBelow = new("E_LABEL_BELOW",
        "The level is below that of a dispatch it refers to, or below what the word list proposes.", "Độ mật thấp hơn văn bản được dẫn chiếu, hoặc thấp hơn mức mà danh mục từ đề xuất.",
        "Choose the higher level, or have two persons sign that nothing of it is carried over.", "Chọn độ mật cao hơn, hoặc có hai người ký xác nhận không mang theo nội dung đó.");
    public static readonly Refusal RelabelPersons = new("E_RELABEL_PERSONS",
        "The label may not be changed by those who signed.", "Những người đã ký không đủ thẩm quyền thay đổi độ mật.",
        "Raising needs one authorised person; lowering two, one of the originating office, with a reason.", "Nâng độ mật cần một người có thẩm quyền; hạ độ mật cần hai người, một người thuộc cơ quan ban hành, kèm lý do.");
    public static readonly Refusal LabelChange = new("E_LABEL_CHANGE",
        "The signed change of a label is not in form, has lapsed, or is not about this dispatch.", "Yêu cầu thay đổi độ mật đã ký không đúng dạng, đã hết hiệu lực, hoặc không thuộc văn bản này.",
        "Sign the change again on the dispatch as it is now.", "Ký lại yêu cầu trên văn bản theo tình trạng hiện tại.");
    public static readonly Refusal LabelPrevious = new("E_LABEL_PREVIOUS",
        "The label has changed meanwhile: the change does not point at the one in force.", "Độ mật đã được thay đổi trong lúc đó: yêu cầu không dẫn chiếu nhãn đang có hiệu lực.",
        "Look at the label in force, and sign the change anew if it is still wanted.", "Xem nhãn đang có hiệu lực, và ký lại yêu cầu nếu vẫn cần.");
    public static readonly Refusal OriginatorControl = new("E_ORIGINATOR_CONTROL",
        "The originating office has not released the dispatch for forwarding.", "Cơ quan ban hành chưa cho phép chuyển tiếp văn bản.",
        "Ask the originating office for a signed release that names the new recipients.", "Đề nghị cơ quan ban hành ký cho phép, ghi rõ nơi nhận mới.");
    public static readonly Refusal StoreCeiling = new("E_STORE_CEILING",
        "This gateway is not approved to hold dispatches of this level.", "Trục này không được phép lưu giữ văn bản ở độ mật này.",
        "Use a gateway that is approved for the level; the administrator sets the ceiling.", "Dùng trục được phép cho độ mật này; quản trị viên đặt mức trần.");
    public static readonly Refusal DirectoryLate = new("E_DIRECTORY_LATE",
        "The gateway's directory is older than the level allows.", "Danh bạ của trục cũ hơn mức mà độ mật cho phép.",
        "Try again later; tell the administrator if it repeats.", "Thử lại sau; báo quản trị viên nếu lặp lại.");
    public static readonly Refusal RevocationLate = new("E_REVOCATION_LATE",
        "What the CAs say of revoked certificates is older here than the level allows.", "Dữ liệu thu hồi chứng thư ở trục cũ hơn mức mà độ mật cho phép.",
        "Try again later; the administrator must see that newer revocation lists come in.", "Thử lại sau; quản trị viên cần nạp danh sách thu hồi mới hơn.");
    public static readonly Refusal Bucket = new("E_BUCKET",
        "The envelope is not filled up to the size that its level asks for.", "Bao bì chưa được độn tới kích thước mà độ mật yêu cầu.",
        "Update the policy and seal the dispatch anew.", "Cập nhật chính sách và niêm phong lại văn bản.");
    public static readonly Refusal Translator = new("E_TRANSLATOR",
        "The label was translated by someone whom the policy does not list.", "Nhãn được chuyển đổi bởi bên không có trong chính sách.",
        "Ask the policy officers for an agreement with that party.", "Đề nghị cán bộ chính sách thỏa thuận với bên đó.");
    public static readonly Refusal NotReleasable = new("E_NOT_RELEASABLE",
        "The dispatch may not be released to the recipients named.", "Văn bản không được phép chuyển tới nơi nhận đã nêu.",
        "Check the recipients and the level; ask the policy officers if both are right.", "Kiểm tra nơi nhận và độ mật; nếu đều đúng, hãy hỏi cán bộ chính sách.");
    public static readonly Refusal RecipientKeys = new("E_RECIPIENT_KEYS",
        "The envelope can be opened by a key that is not a current key of its recipients.", "Bao bì có thể mở bằng khóa không phải khóa hiện hành của nơi nhận.",
        "Update the directory and seal the dispatch anew.", "Cập nhật danh bạ và niêm phong lại văn bản.");
    public static readonly Refusal Internal = new("E_INTERNAL",
        "The decision could not be made, so the answer is no.", "Không thể ra quyết định, vì vậy không cho phép.",
        "Try again later; tell the administrator if it repeats.", "Thử lại sau; báo quản trị viên nếu lặp lại.");

    public static readonly Refusal MappingInvalid = new("E_MAPPING_INVALID",
        "The mapping between two policies contradicts itself or names what they do not have.", "Bảng quy đổi giữa hai chính sách tự mâu thuẫn hoặc nêu mục mà chính sách không có.",
        "Correct the place that the message names.", "Sửa chỗ mà thông báo đã nêu.");
    public static readonly Refusal NoMapping = new("E_NO_MAPPING",
        "The other policy has no agreed equivalent of this label, or the agreement is not in force.", "Chính sách kia không có nhãn tương đương đã thỏa thuận cho nhãn này, hoặc thỏa thuận chưa có hay hết hiệu lực.",
        "Choose a label that has an equivalent, or agree on one with the partner.", "Chọn nhãn có tương đương, hoặc thỏa thuận tương đương với đối tác.");
    public static readonly Refusal WordList = new("E_WORD_LIST",
        "The office's word list is not in the form that it must have, or is of another policy.", "Danh sách từ ngữ của cơ quan không đúng dạng, hoặc thuộc chính sách khác.",
        "Correct the entry that the message names.", "Sửa mục mà thông báo đã nêu.");
    public static readonly Refusal WordFloor = new("E_WORD_FLOOR",
        "Words in the documents propose a higher level than the one chosen.", "Từ ngữ trong tài liệu gợi ý độ mật cao hơn độ đã chọn.",
        "Choose at least the level proposed, or have two persons sign that the words mislead.", "Chọn độ mật không thấp hơn độ được gợi ý, hoặc có hai người ký xác nhận từ ngữ đó gây hiểu nhầm.");
    public static readonly Refusal ActivationUnapproved = new("E_ACTIVATION_UNAPPROVED",
        "A new policy comes into force only with two policy officers' approval of what changes against the policy and standing in force.", "Chính sách mới chỉ có hiệu lực khi hai cán bộ chính sách phê duyệt các thay đổi so với chính sách và thẩm quyền hiện hành.",
        "Both officers run exchange policy activate on what is in force now, then hand over policy and approval together.", "Hai cán bộ chạy exchange policy activate trên bản hiện hành, rồi nộp chính sách cùng phê duyệt.");
    public static readonly Refusal PolicyInvalid = new("E_POLICY_INVALID",
        "The policy contradicts itself or has a value outside its range.", "Chính sách tự mâu thuẫn hoặc có giá trị ngoài phạm vi.",
        "The policy officers must correct what the log names.", "Cán bộ chính sách cần sửa nội dung mà nhật ký đã nêu.");

    /// <summary>Every refusal there is, by code.</summary>
    public static FrozenDictionary<string, Refusal> All => all.Value;

    // Collected when it is first asked for: in which order the fields of two files are made is nowhere promised.
    static readonly Lazy<FrozenDictionary<string, Refusal>> all = new(() => typeof(Refusal).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(f => f.FieldType == typeof(Refusal)).Select(f => (Refusal)f.GetValue(null)!).ToFrozenDictionary(r => r.Code));

    public override string ToString() => Code;
}

/// <summary>
/// Input was refused. <see cref="Detail"/> is for the log and the operator: it names places and kinds, never plaintext, subjects, label text or keys,
/// and never travels to the other side.
/// </summary>
public sealed class RefusedException(Refusal refusal, string detail = "") : Exception(detail.Length == 0 ? refusal.Code : $"{refusal.Code}: {detail}")
{
    public Refusal Refusal { get; } = refusal;
    public string Detail { get; } = detail;
}
